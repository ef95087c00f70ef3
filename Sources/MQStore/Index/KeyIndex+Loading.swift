import Logging
import MQProtocol
import NIOCore
import Synchronization

extension KeyIndex {
    /// What is known of the files before they are looked at.
    struct Knowledge {
        /// Our own record, if there is one.
        var position: DispatchManifest.Position?
        /// Whether the last run ended cleanly.
        var isClean: Bool
        /// The checkpoint's index time.
        var sealedEnd: Timestamp
        var log: Range<LogOffset>
    }

    /// Takes over the files of the directory.
    ///
    /// After a clean stop whose record of the index fits the files, all of them are kept and the newest is continued.
    /// The same without any record of ours: the files are a stock broker's. A record that says nothing of the index is
    /// that of a run in which it failed. Then, and in any other case, only files that are full, known to be flushed and
    /// within the log are kept, and none at all when their number is not the recorded one: any of them may be missing.
    /// The rest is deleted and built again from the log.
    ///
    /// - Returns: where dispatching to the index begins.
    func load(_ known: Knowledge) throws(StoreError) -> LogOffset {
        let present = try list()
        var files = try usable(present)
        if let cause = objection(to: files, of: present, known) {
            logger.warning("the index in \(directory) \(cause); it is built again from the log")
            try remove(files.map(\.path))
            files = []
        } else if known.isClean, let closed = known.position?.index {
            try keep(files, continuing: true, known)
            return max(closed.position, known.log.lowerBound)
        }
        let isForeign = known.isClean && known.position == nil
        if isForeign, let last = files.last, last.header.isEmpty || last.header.endOffset < known.log.upperBound {
            try keep(files, continuing: true, known)
        } else {
            let kept = files.prefix { isSafe($0, known) }
            try remove(files[kept.count...].map(\.path))
            files = Array(kept)
            try keep(files, continuing: false, known)
        }
        guard let last = files.last else { return known.log.lowerBound }
        try resume(behind: last)
        return max(last.header.endOffset, known.log.lowerBound)
    }

    /// Why none of the files is kept; nil when nothing is known against them as a whole.
    ///
    /// - Parameter present: what the directory has, usable or not.
    private func objection(
        to files: [SealedIndexFile], of present: [DirectoryEntry], _ known: Knowledge
    ) -> String? {
        guard let position = known.position else { return nil }
        if known.isClean, let closed = position.index {
            let isComplete = files.count == closed.files && files.last?.header.count ?? 0 == closed.lastCount
            return isComplete && closed.position <= known.log.upperBound ? nil : "is not as it was closed"
        }
        guard let sealed = position.sealed, let wanted = position.sealedFiles else { return nil }
        let found = present.count(where: { $0.name <= sealed })
        return found == wanted ? nil : "has \(found) files up to \(sealed) where \(wanted) were recorded"
    }

    /// Whether a crash cannot have touched the file and the log still has, or had, all it speaks of.
    private func isSafe(_ file: SealedIndexFile, _ known: Knowledge) -> Bool {
        guard Int(file.header.count) >= geometry.entries, file.header.endOffset < known.log.upperBound else {
            return false
        }
        if let position = known.position { return file.name <= position.sealed ?? "" }
        return file.header.end <= known.sealedEnd
    }

    /// The directory's index files, oldest first.
    private func list() throws(StoreError) -> [DirectoryEntry] {
        (try device.list(directory) ?? []).filter { !$0.isDirectory && IndexName.isName($0.name) }
    }

    /// Those that cannot be index files of this size are deleted with all later ones: what they told is in the log, and
    /// is indexed again in files of the configured size.
    private func usable(_ entries: [DirectoryEntry]) throws(StoreError) -> [SealedIndexFile] {
        var files: [SealedIndexFile] = []
        for (number, entry) in entries.enumerated() {
            let path = "\(directory)/\(entry.name)"
            var buffer = ByteBuffer()
            if entry.length == geometry.fileBytes {
                _ = try device.open(path, .readOnly).read(at: 0, count: IndexHeader.bytes, into: &buffer)
            }
            guard let header = IndexHeader(buffer), header.count >= 1, Int(header.count) <= geometry.entries else {
                logger.warning(
                    """
                    \(path) has \(entry.length) bytes where maxHashSlotNum and maxIndexNum make \(geometry.fileBytes), \
                    or a header that cannot be; rebuilding from there on
                    """
                )
                try remove(entries[number...].map { "\(directory)/\($0.name)" })
                break
            }
            files.append(SealedIndexFile(path: path, geometry: geometry, header: header))
        }
        return files
    }

    private func keep(_ files: [SealedIndexFile], continuing: Bool, _ known: Knowledge) throws(StoreError) {
        try state.withLock { (state) throws(StoreError) in
            state.sealed = files
            state.sealedEnd = known.sealedEnd
            state.sealedName = known.position?.sealed
            guard continuing, let last = files.last, Int(last.header.count) < geometry.entries else { return }
            state.sealed.removeLast()
            state.open = [
                try IndexFile(reopening: last.path, geometry: geometry, header: last.header, device: device)
            ]
        }
    }

    /// The newest first, and durable on return: one that comes back with a crash would be taken for one of those built
    /// since, and what lies between the others and it would be in none.
    private func remove(_ paths: [String]) throws(StoreError) {
        guard !paths.isEmpty else { return }
        for path in paths.reversed() { try device.remove(path) }
        try device.syncDirectory(directory)
    }

    /// The last record of a file may have more keys than fitted: those that are there are not added again.
    private func resume(behind file: SealedIndexFile) throws(StoreError) {
        let reader = try OpenSealedIndexFile(file, device: device)
        var keys = 0
        var number = file.header.count - 1
        while number > 0, let entry = reader.entry(number), entry.logOffset == file.header.endOffset {
            keys += 1
            number -= 1
        }
        let count = keys
        state.withLock { $0.resume = (file.header.endOffset, count) }
    }
}
