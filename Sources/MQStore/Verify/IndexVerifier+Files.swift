import MQProtocol
import NIOCore

/// The index files of a directory, sorted into those that must be right and the rest.
struct IndexFiles {
    var trusted: [SealedIndexFile] = []
    var findings: [StoreFinding] = []
    private let directory: String

    /// - Parameters:
    ///   - position: our own record, if there is one.
    ///   - checkpoint: what a stock broker says of its full files.
    init(
        directory: String, geometry: IndexGeometry, isUnclean: Bool, position: DispatchManifest.Position?,
        checkpoint: Checkpoint?, device: any StorageDevice
    ) throws(StoreError) {
        self.directory = directory
        var unfinished = 0
        for entry in try device.list(directory) ?? [] {
            let path = "\(directory)/\(entry.name)"
            guard !entry.isDirectory, IndexName.isName(entry.name) else {
                findings.append(StoreFinding(.strangeFile, .note, path, "its name is not that of an index file"))
                continue
            }
            var buffer = ByteBuffer()
            _ = try device.open(path, .readOnly).read(at: 0, count: IndexHeader.bytes, into: &buffer)
            if isUnclean, !Self.isSealed(entry.name, buffer, position, checkpoint) {
                unfinished += 1
                continue
            }
            guard entry.length == geometry.fileBytes else {
                add(path, nil, "it has \(entry.length) bytes instead of \(geometry.fileBytes)")
                continue
            }
            guard let header = IndexHeader(buffer), header.count >= 1, Int(header.count) <= geometry.entries else {
                add(path, 36, "its header counts more entries than it has room for, or none")
                continue
            }
            trusted.append(SealedIndexFile(path: path, geometry: geometry, header: header))
        }
        if unfinished > 0 {
            findings.append(
                StoreFinding(
                    .index, .note, directory, "\(unfinished) files were not full when the broker was killed",
                    remedy: "the next start builds them again"))
        }
        if !isUnclean, let closed = position?.index, trusted.count != closed.files, findings.isEmpty {
            add(directory, nil, "it has \(trusted.count) files, \(closed.files) when it was closed")
        }
    }

    private mutating func add(_ path: String, _ offset: Int?, _ cause: String) {
        let step = RepairStep.setAside(path: directory)
        findings.append(
            StoreFinding(
                .index, .damage, path, at: offset, cause, step: step,
                remedy: "\(step.text) and \(RepairStep.rebuild.text)"))
    }

    private static func isSealed(
        _ name: String, _ head: ByteBuffer, _ position: DispatchManifest.Position?, _ checkpoint: Checkpoint?
    ) -> Bool {
        if let position { return name <= position.sealed ?? "" }
        guard let header = IndexHeader(head) else { return false }
        return header.end > .zero && header.end <= checkpoint?.index ?? .zero
    }
}
