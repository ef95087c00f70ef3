import Logging
import MQProtocol
import NIOCore

/// The steps of one verification.
struct VerifyPass {
    private let configuration: StoreConfiguration
    private let device: any StorageDevice
    private let levels: DelayLevels
    private let count: (Int) -> Void
    private let read: Tally
    private var manifest: DispatchManifest?
    private var position: DispatchManifest.Position?
    private var checkpoint: Checkpoint?
    private var log = LogVerifier.Result()
    private var queues: QueueVerifier
    private(set) var report = VerifyReport()

    /// Bytes read so far, shared by the parts that read.
    private final class Tally {
        var bytes = 0
    }

    private var root: String { configuration.directory }

    init(
        _ configuration: StoreConfiguration, device: any StorageDevice, levels: DelayLevels, total: Int,
        progress: @escaping (VerifyProgress) -> Void
    ) {
        let read = Tally()
        self.configuration = configuration
        self.device = device
        self.levels = levels
        self.read = read
        queues = QueueVerifier(configuration, device: device, levels: levels, trusted: .zero, forgotten: [:])
        count = { bytes in
            read.bytes += bytes
            progress(VerifyProgress(bytes: read.bytes, total: max(total, read.bytes)))
        }
    }

    /// The small files: what they say decides what may be demanded of the others.
    mutating func readRecords(_ sideFiles: [SideFileFormat]) throws(StoreError) {
        report.isUnclean = try AbortMark(directory: root, device: device).exists()
        if report.isUnclean {
            report.findings.append(
                StoreFinding(
                    .unclean, .note, "\(root)/abort", "the store was not closed", remedy: "the next start recovers it"))
        }
        var verifier = SideFileVerifier(device: device, root: root)
        for format in try known(sideFiles) {
            if let text = try verifier.check(format) { report.sideFiles[format.path] = text }
        }
        let positionFormat = SideFileFormat(path: "escrow/position") { _ = try DispatchManifest.Position(parsing: $0) }
        let queuesFormat = SideFileFormat(path: "escrow/queues") { _ = try DispatchManifest(parsing: $0) }
        if let text = try verifier.check(positionFormat, isDerived: true) {
            position = try DispatchManifest.Position(parsing: text)
        }
        if let text = try verifier.check(queuesFormat, isDerived: true) {
            manifest = try DispatchManifest(parsing: text)
        }
        report.findings += verifier.findings
        checkpoint = try Checkpoint.load(directory: root, device: device)
    }

    private static let silent = Logger(label: "verify", factory: { _ in SwiftLogNoOpLogHandler() })

    /// Those of the owner, and any other JSON file that is there, as a stock broker has more kinds of them.
    private func known(_ sideFiles: [SideFileFormat]) throws(StoreError) -> [SideFileFormat] {
        var formats = sideFiles
        for entry in try device.list("\(root)/config") ?? [] where !entry.isDirectory {
            let path = "config/\(entry.name)"
            guard entry.name.hasSuffix(".json"), !formats.contains(where: { $0.path == path }) else { continue }
            formats.append(SideFileFormat(path: path) { _ = try JSONReader.parse($0) })
        }
        return formats
    }

    /// Every record with its queue entry and its keys.
    mutating func readLog() throws(StoreError) {
        // What opening goes by too: below, nothing was torn.
        let mark = try FlushMark(root: root, device: device, logger: Self.silent).load()
        queues = QueueVerifier(
            configuration, device: device, levels: levels, trusted: try trusted(),
            forgotten: manifest?.forgotten ?? [:])
        let flushed = FlushedExtent(
            position, mark: mark, checkpoint: checkpoint?.log ?? .zero, wasKilled: report.isUnclean)
        var verifier = LogVerifier(
            configuration, device: device, isUnclean: report.isUnclean,
            flushed: flushed, evidence: report.isUnclean && flushed.asksQueues ? try queues.lastEntries() : [],
            progress: count)
        let directory = "\(root)/index"
        let geometry = IndexGeometry(slots: configuration.indexSlots, entries: configuration.indexEntries)
        let files = try IndexFiles(
            directory: directory, geometry: geometry, isUnclean: report.isUnclean, position: position,
            checkpoint: checkpoint, device: device)
        report.findings += files.findings
        var index = IndexVerifier(
            files.findings.contains { $0.severity > .note } ? [] : files.trusted, directory: directory,
            geometry: geometry, completeBelow: indexEnd(files), device: device, progress: count)
        try index.begin()
        var minimum: LogOffset?
        log = try verifier.run { (record, bytes, damaged) throws(StoreError) in
            let type = record.sysFlag.transactionType
            guard type != .rollback else { return }
            if minimum == nil { minimum = record.physicalOffset }
            let queue = queues.queue(of: record, bytes)
            let properties = RecordProperties(bytes, record.propertiesRange)
            if type == .none || type == .commit {
                try queues.check(
                    record, bytes, properties, queue, damagedEnd: damaged.last?.upperBound ?? LogOffset(rawValue: -1))
                note(queue.ref.topic)
            }
            try index.check(
                record, bytes, properties, prefix: queue.keyPrefix, (minimum ?? .zero, damaged))
        }
        report.findings += verifier.findings
        try index.finish(log)
        report.findings += index.findings
        report.indexEntries = index.entries
        report.records = log.records
        report.logStart = log.minimum
        report.logEnd = log.end
        report.damagedRanges = log.damaged
        report.lastTimestamp = log.lastTimestamp
    }

    /// Up to where no key may be missing. A broker may be stopped before it has indexed everything, and says so; a
    /// store without any index file may have been told not to index.
    private func indexEnd(_ files: IndexFiles) -> LogOffset {
        if report.isUnclean || files.findings.contains(where: { $0.severity > .note }) { return .zero }
        if let closed = position?.index { return closed.position }
        return files.trusted.isEmpty ? .zero : LogOffset(rawValue: .max)
    }

    private mutating func note(_ topic: String) {
        if topic == SystemTopic.half { report.halves += 1 } else if topic == SystemTopic.opHalf { report.ops += 1 }
    }

    /// Below, every record has a durable entry in its queue.
    private func trusted() throws(StoreError) -> LogOffset {
        guard report.isUnclean else { return LogOffset(rawValue: .max) }
        return position?.queues ?? .zero
    }

    /// The other way: entries without a record, positions beyond the end.
    mutating func compare(_ isKnownTopic: ([String: ByteBuffer], String) -> Bool?) throws(StoreError) {
        let texts = report.sideFiles
        try withoutActuallyEscaping(isKnownTopic) { (isKnownTopic) throws(StoreError) in
            let context = QueueVerifier.Context(
                log: log, manifest: manifest, isUnclean: report.isUnclean,
                isKnownTopic: { isKnownTopic(texts, $0) }, progress: count)
            let (ends, entries) = try queues.finish(context, &report.findings)
            for (queue, end) in ends {
                report.queueEnds[QueueName(topic: queue.topic, queueID: queue.queueID)] = end
            }
            report.queueEntries = entries
            report.deletedTopics = queues.deletedTopics
        }
        if let position, position.queues > log.end {
            report.findings.append(
                StoreFinding(
                    .shortLog, .loss, "\(root)/escrow/position",
                    "the log ends at \(log.end), and everything below \(position.queues) was durable",
                    step: .rebuild, remedy: "restore the log from a copy; repairing accepts the loss"))
        }
        try checkCheckpoint()
        report.bytes = read.bytes
    }

    private mutating func checkCheckpoint() throws(StoreError) {
        let path = "\(root)/checkpoint"
        guard let entry = try device.entry(path) else {
            guard log.records > 0, !report.isUnclean else { return }
            add(path, "it is missing: a recovery reads the whole log", .rebuild)
            return
        }
        guard entry.length >= 4096, let checkpoint else {
            add(path, "it has \(entry.length) bytes instead of 4096", .setAside(path: path))
            return
        }
        for (offset, time) in [(0, checkpoint.log), (8, checkpoint.queues), (16, checkpoint.index)] {
            if time < .zero || (log.records > 0 && time > log.lastTimestamp) {
                add(
                    path, at: offset,
                    "the time \(time.milliseconds) is later than the newest record's \(log.lastTimestamp.milliseconds)",
                    .setAside(path: path))
            }
        }
    }

    private mutating func add(_ path: String, at offset: Int? = nil, _ cause: String, _ step: RepairStep) {
        report.findings.append(
            StoreFinding(
                .checkpoint, .damage, path, at: offset, cause, step: step, remedy: "write it again from the log"))
    }
}
