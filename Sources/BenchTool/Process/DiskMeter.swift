/// The block device that holds a directory, by the system's own count of what reached it.
struct DiskMeter: Sendable {
    private let statisticsPath: String

    /// Nil where the device cannot be told: no /proc, or a file system without a block device of its own.
    init?(holding directory: String) {
        guard let mounts = ProcessProbe.read("/proc/self/mountinfo") else { return nil }
        var best: (mountPoint: Substring, device: Substring)?
        for line in mounts.split(separator: "\n") {
            let fields = line.split(separator: " ")
            guard fields.count > 4 else { continue }
            let mountPoint = fields[4]
            let prefix = mountPoint == "/" ? "/" : mountPoint + "/"
            guard (directory + "/").hasPrefix(prefix), mountPoint.count >= best?.mountPoint.count ?? 0 else { continue }
            best = (mountPoint, fields[2])
        }
        guard let best else { return nil }
        statisticsPath = "/sys/dev/block/\(best.device)/stat"
        guard writtenBytes() != nil else { return nil }
    }

    /// Bytes written to the device so far, by everybody.
    func writtenBytes() -> Int? {
        guard let text = ProcessProbe.read(statisticsPath) else { return nil }
        let fields = text.split(whereSeparator: \.isWhitespace)
        guard fields.count > 6, let sectors = Int(fields[6]) else { return nil }
        return sectors * 512
    }
}
