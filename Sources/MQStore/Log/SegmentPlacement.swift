import MQProtocol

/// Chooses the directory of each new file of the log.
struct SegmentPlacement: Sendable {
    /// A directory whose disk is used above this share gets no new file while another one has room
    /// (`diskSpaceCleanForciblyRatio`).
    var limit: Double
    private var last: (offset: LogOffset, directory: String)?

    init(limit: Double) { self.limit = limit }

    /// File k goes to candidate k mod n, the candidates in sorted order. The same file asked for again, by another
    /// thread, stays where it is: two files of one name would be two versions of a part of the log.
    mutating func directory(
        of offset: LogOffset, _ configuration: StoreConfiguration, _ device: any StorageDevice
    ) -> String {
        if let last, last.offset == offset { return last.directory }
        var candidates = configuration.sortedLogDirectories
        if candidates.count > 1 {
            let roomy = candidates.filter { directory in
                (try? device.space(at: directory)).map { $0.usedRatio <= limit } ?? true
            }
            if !roomy.isEmpty { candidates = roomy }
        }
        let directory = candidates[Int(offset.rawValue) / configuration.segmentBytes % candidates.count]
        last = (offset, directory)
        return directory
    }
}
