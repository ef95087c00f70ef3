import Logging
import MQProtocol
import NIOCore

/// Finds the log's files and refuses what cannot be one log.
struct SegmentLoader {
    var configuration: StoreConfiguration
    var device: any StorageDevice
    var logger: Logger

    private struct Found {
        var offset: LogOffset
        var directory: String
        var length: Int
        var isReadOnly: Bool
        var path: String { "\(directory)/\(SegmentName.text(offset))" }
    }

    func load() throws(StoreError) -> [LogSegment] {
        var found: [Found] = []
        for directory in configuration.sortedLogDirectories {
            try device.createDirectory(directory)
            found += try files(in: directory, isReadOnly: false)
        }
        try configuration.requireReadOnlyLogDirectories(device)
        for directory in configuration.readOnlyLogDirectories {
            found += try files(in: directory, isReadOnly: true)
        }
        found.sort { $0.offset < $1.offset }
        if let last = found.last, last.length == 0, !last.isReadOnly {
            // The process died between creating the file and giving it its length.
            logger.warning("removing \(last.path): it was created and never used")
            try device.remove(last.path)
            found.removeLast()
        }
        try removeStrays(&found)
        try check(found)
        var segments: [LogSegment] = []
        for file in found {
            segments.append(
                try LogSegment(
                    offset: file.offset,
                    length: file.length,
                    directory: file.directory,
                    device: device,
                    mode: file.isReadOnly ? .readOnly : .readWrite
                )
            )
        }
        return segments
    }

    private func files(in directory: String, isReadOnly: Bool) throws(StoreError) -> [Found] {
        var found: [Found] = []
        for entry in try device.list(directory) ?? [] where !entry.isDirectory {
            guard let offset = SegmentName.offset(entry.name) else {
                throw StoreError(
                    .corrupt,
                    "\(directory)/\(entry.name) is not a log file (their names are 20 digits); move it elsewhere"
                )
            }
            found.append(Found(offset: offset, directory: directory, length: entry.length, isReadOnly: isReadOnly))
        }
        return found
    }

    /// Files prepared ahead of the writer that stand behind a gap: nothing was ever written to them.
    private func removeStrays(_ found: inout [Found]) throws(StoreError) {
        while let last = found.last, let before = found.dropLast().last {
            guard !last.isReadOnly, before.offset + configuration.segmentBytes < last.offset, try isUnused(last) else {
                return
            }
            logger.warning("removing \(last.path): it was prepared and never used, and files before it are missing")
            try device.remove(last.path)
            found.removeLast()
        }
    }

    private func isUnused(_ file: Found) throws(StoreError) -> Bool {
        var head = ByteBuffer()
        _ = try device.open(file.path, .readOnly).read(at: 0, count: RecordLayout.blankBytes, into: &head)
        return head.readableBytesView.allSatisfy { $0 == 0 }
    }

    private func check(_ found: [Found]) throws(StoreError) {
        let length = configuration.segmentBytes
        for file in found {
            guard file.length == length else {
                throw StoreError(
                    .corrupt,
                    "\(file.path) has \(file.length) bytes instead of \(length);"
                        + " if segmentBytes (mappedFileSizeCommitLog) was changed, set it back to the size of the"
                        + " existing files, else restore the file from a copy or move it and all later ones elsewhere"
                )
            }
            guard Int(file.offset.rawValue) % length == 0 else {
                throw StoreError(
                    .corrupt,
                    "\(file.path): its name is not a multiple of the file size \(length); move it elsewhere"
                )
            }
        }
        for (file, next) in zip(found, found.dropFirst()) where file.offset + length != next.offset {
            let missing = SegmentName.text(file.offset + length)
            let text =
                file.offset == next.offset
                ? "\(file.path) and \(next.path) are the same part of the log; move the older one elsewhere"
                : "\(missing) is missing between \(file.path) and \(next.path); restore it, or move the files before"
                    + " it (to lose the older messages) or after it (to lose the newer ones) elsewhere"
            throw StoreError(.corrupt, text)
        }
    }
}

extension StoreConfiguration {
    /// - Throws: `configuration` for one that is not there.
    func requireReadOnlyLogDirectories(_ device: any StorageDevice) throws(StoreError) {
        for directory in readOnlyLogDirectories where try !device.exists(directory) {
            throw StoreError(
                .configuration,
                "readOnlyLogDirectories (readOnlyCommitLogStorePaths) names \(directory), which does not exist;"
                    + " mount it, or take it off the list to go on without its messages"
            )
        }
    }
}
