import MQProtocol
import NIOCore

extension QueueVerifier {
    /// What the second way needs to know.
    struct Context {
        var log: LogVerifier.Result
        var manifest: DispatchManifest?
        var isUnclean: Bool
        /// Whether a topic exists, as far as the broker's files tell; nil when they do not.
        var isKnownTopic: (String) -> Bool?
        /// Told of bytes read.
        var progress: (Int) -> Void
    }

    /// Checks every queue, those with files and those that should have some. The log was read before.
    ///
    /// - Returns: the end of each queue that has entries or records.
    mutating func finish(
        _ context: Context, _ findings: inout [StoreFinding]
    ) throws(StoreError) -> (ends: [QueueRef: Int64], entries: Int) {
        try addQueuesWithFiles(&findings)
        var ends: [QueueRef: Int64] = [:]
        var entries = 0
        let recorded = recordedQueues(context.manifest)
        let present = try topicsWithFiles()
        for queue in table.all {
            grow(to: queue)
            try settleLeap(of: queue, behind: nil)
            noteOrder(queue, &findings)
            let hasDirectory = try !files(of: queue).isEmpty
            guard hasDirectory else {
                noteMissing(
                    queue, context, isRecorded: recorded[queue.ref] != nil,
                    topicHasFiles: present.contains(queue.ref.topic), &findings)
                if let end = seen[queue.ref.index].end { ends[queue.ref] = end }
                continue
            }
            var damage = try checkFiles(queue, recorded[queue.ref], isUnclean: context.isUnclean, &findings)
            let end = try scan(queue, context, &entries, &damage, &findings)
            ends[queue.ref] = max(end, seen[queue.ref.index].end ?? 0)
            noteEntries(queue, &damage)
            if let wanted = recorded[queue.ref]?.end, end < wanted, damage.isEmpty {
                damage.append((queue.directory, nil, "it ends at \(end), \(wanted) entries were durable"))
            }
            // The files of one queue are set aside together: what is left of them is no use to the broker.
            for (path, offset, cause) in damage {
                let step = RepairStep.setAside(path: queue.directory)
                let kind = offset == nil ? StoreFinding.Kind.queueFile : .queueEntry
                findings.append(
                    StoreFinding(
                        kind, .damage, path, at: offset, cause, step: step,
                        remedy: "\(step.text) and \(RepairStep.rebuild.text)"))
            }
        }
        return (ends, entries)
    }

    private func recordedQueues(_ manifest: DispatchManifest?) -> [QueueRef: DispatchManifest.Queue] {
        var recorded: [QueueRef: DispatchManifest.Queue] = [:]
        for queue in manifest?.queues ?? [] { recorded[table.queue(queue.topic, queue.queueID).ref] = queue }
        return recorded
    }

    private mutating func addQueuesWithFiles(_ findings: inout [StoreFinding]) throws(StoreError) {
        let root = table.files.directory
        for topic in try device.list(root) ?? [] {
            guard topic.isDirectory, RecordRules.isTopic(topic.name.utf8.span) else {
                findings.append(
                    StoreFinding(.strangeFile, .note, "\(root)/\(topic.name)", "it is not a topic's directory"))
                continue
            }
            for entry in try device.list("\(root)/\(topic.name)") ?? [] {
                guard entry.isDirectory, let queueID = Int32(entry.name), queueID >= 0 else {
                    let path = "\(root)/\(topic.name)/\(entry.name)"
                    findings.append(StoreFinding(.strangeFile, .note, path, "it is not a queue's directory"))
                    continue
                }
                grow(to: table.queue(topic.name, queueID))
            }
        }
    }

    private mutating func topicsWithFiles() throws(StoreError) -> Set<String> {
        var topics: Set<String> = []
        for queue in table.all where try !files(of: queue).isEmpty { topics.insert(queue.ref.topic) }
        return topics
    }

    private func noteOrder(_ queue: ConsumeQueue, _ findings: inout [StoreFinding]) {
        for cause in seen[queue.ref.index].breaks {
            findings.append(
                StoreFinding(
                    .queueOffset, .loss, queue.directory, cause,
                    remedy: "the place stays empty; restore the log from a copy to have it back"))
        }
    }

    private mutating func noteMissing(
        _ queue: ConsumeQueue, _ context: Context, isRecorded: Bool, topicHasFiles: Bool,
        _ findings: inout [StoreFinding]
    ) {
        let state = seen[queue.ref.index]
        guard isRecorded || state.missing.count > 0 else { return }
        // A topic is deleted with all its queues. A stock broker that does so leaves our record of them as it is.
        if !topicHasFiles, context.isKnownTopic(queue.ref.topic) == false {
            deletedTopics.insert(queue.ref.topic)
            findings.append(
                StoreFinding(
                    .missingQueue, .note, queue.directory,
                    "it is not there, nor is its topic: \(state.missing.count) messages of a deleted topic"))
            return
        }
        findings.append(
            StoreFinding(
                .missingQueue, .damage, queue.directory, "it is not there; \(state.missing.count) messages are in it",
                step: .rebuild))
    }

    private func noteEntries(_ queue: ConsumeQueue, _ damage: inout [(String, Int?, String)]) {
        let state = seen[queue.ref.index]
        if state.wrong.count > 0 {
            let (path, offset) = place(state.wrong.first, queue)
            damage.append(
                (path, offset, "entry \(state.wrong.first) is not that of its record\(Self.others(state.wrong.count))"))
        }
        if state.missing.count > 0 {
            let (path, offset) = place(state.missing.first, queue)
            damage.append(
                (path, offset, "entry \(state.missing.first) is missing\(Self.others(state.missing.count))"))
        }
    }

    private func place(_ number: Int64, _ queue: ConsumeQueue) -> (path: String, offset: Int) {
        let base = table.files.base(of: number)
        return ("\(queue.directory)/\(table.files.name(base))", Int(number - base) * QueueEntry.bytes)
    }

    private static func others(_ count: Int) -> String { count > 1 ? ", and \(count - 1) more" : "" }

    private mutating func checkFiles(
        _ queue: ConsumeQueue, _ recorded: DispatchManifest.Queue?, isUnclean: Bool, _ findings: inout [StoreFinding]
    ) throws(StoreError) -> [(String, Int?, String)] {
        var damage: [(String, Int?, String)] = []
        let files = try files(of: queue)
        for (index, file) in files.enumerated() {
            let isNext =
                index == 0
                ? file.base <= recorded?.first ?? file.base
                : file.base == files[index - 1].base + table.files.entriesPerFile
            if !isNext {
                damage.append((file.path, nil, "a file before it is missing"))
            }
            // A kill may leave the newest one without its length.
            let isShortTail = isUnclean && index == files.count - 1 && file.length < table.files.fileBytes
            if file.length != table.files.fileBytes, !isShortTail {
                damage.append((file.path, nil, "it has \(file.length) bytes instead of \(table.files.fileBytes)"))
            }
        }
        for entry in try device.list(queue.directory) ?? [] where table.files.base(named: entry.name) == nil {
            findings.append(
                StoreFinding(
                    .strangeFile, .note, "\(queue.directory)/\(entry.name)",
                    "its name is not that of a queue file of \(table.files.fileBytes) bytes"))
        }
        return damage
    }

    /// Every entry of the files: what it points at is a record that says the same, or one that is gone.
    ///
    /// - Returns: the number behind the last entry.
    private mutating func scan(
        _ queue: ConsumeQueue, _ context: Context, _ entries: inout Int, _ damage: inout [(String, Int?, String)],
        _ findings: inout [StoreFinding]
    ) throws(StoreError) -> Int64 {
        var end: Int64 = 0
        var hasHole = false
        var bad = Count()
        var badCause = ""
        var stray = Count()
        for file in try files(of: queue) {
            let handle = try handle(file.path)
            var position = 0
            while position + QueueEntry.bytes <= file.length, let data = try handle.nextData(from: position) {
                let start = max(position, data.lowerBound / QueueEntry.bytes * QueueEntry.bytes)
                if start > position { hasHole = true }
                let count = min(1 << 16, data.upperBound - start + QueueEntry.bytes) / QueueEntry.bytes
                var buffer = ByteBuffer()
                let read = try handle.read(at: start, count: count * QueueEntry.bytes, into: &buffer)
                guard read >= QueueEntry.bytes else { break }
                context.progress(read)
                for index in 0..<read / QueueEntry.bytes {
                    guard let entry = buffer.entry(index) else { break }
                    let number = file.base + Int64(start / QueueEntry.bytes + index)
                    guard entry.size != 0 || entry.logOffset != .zero || entry.tagsCode != 0 else {
                        hasHole = true
                        continue
                    }
                    if number > 0, entry.isFlippedZero, !hasRecord(number, queue) {
                        stray.add(number)
                        continue
                    }
                    if let cause = objection(entry, number, queue, context, isBehindHole: hasHole) {
                        if bad.count == 0 { badCause = cause }
                        bad.add(number)
                    } else if !hasHole {
                        entries += 1
                        end = number + 1
                    }
                }
                position = start + read / QueueEntry.bytes * QueueEntry.bytes
            }
            if position + QueueEntry.bytes <= file.length { hasHole = true }
        }
        if bad.count > 0 {
            let (path, offset) = place(bad.first, queue)
            damage.append((path, offset, "entry \(bad.first) \(badCause)\(Self.others(bad.count))"))
        }
        // Behind the recorded position the next start clears everything.
        if stray.count > 0, !context.isUnclean {
            let (path, offset) = place(stray.first, queue)
            let cause = "a bit flipped behind the last entry\(Self.others(stray.count)); no message is hidden by it"
            findings.append(StoreFinding(.queueEntry, .note, path, at: offset, cause))
        }
        return end
    }

    private func hasRecord(_ number: Int64, _ queue: ConsumeQueue) -> Bool {
        seen[queue.ref.index].ranges.contains { $0.contains(number) }
    }

    private func objection(
        _ entry: QueueEntry, _ number: Int64, _ queue: ConsumeQueue, _ context: Context, isBehindHole: Bool
    ) -> String? {
        // The next start clears and writes again what lies behind the recorded position.
        if context.isUnclean, number >= seen[queue.ref.index].trustedEnd { return nil }
        if isBehindHole { return "follows an empty place" }
        // Compared with its record already.
        if hasRecord(number, queue) { return nil }
        if entry.isBlank { return nil }
        let offset = entry.logOffset
        if !entry.isWritten { return "has a record of \(entry.size) bytes at \(offset)" }
        if offset < context.log.minimum { return nil }
        if offset >= context.log.end { return "points at \(offset), the log ends at \(context.log.end)" }
        if context.log.damaged.contains(where: { $0.contains(offset) }) { return nil }
        return "points at \(offset), where no record of this queue offset is"
    }
}
