package import MQProtocol
package import NIOCore

/// What verifying found. Positions in it are those of the log as it is on disk.
package struct VerifyReport: Sendable {
    package internal(set) var findings: [StoreFinding] = []
    package internal(set) var records = 0
    /// Bytes read of log, queues and index.
    package internal(set) var bytes = 0
    package internal(set) var queueEntries = 0
    package internal(set) var indexEntries = 0
    package internal(set) var logStart = LogOffset.zero
    package internal(set) var logEnd = LogOffset.zero
    package internal(set) var lastTimestamp = Timestamp.zero
    /// Whether the store was killed rather than closed.
    package internal(set) var isUnclean = false
    /// The number behind the last message of each queue.
    package internal(set) var queueEnds: [QueueName: Int64] = [:]
    /// The readable text of each side file, by its path under the root.
    package internal(set) var sideFiles: [String: ByteBuffer] = [:]
    /// Half messages and the records that end them.
    package internal(set) var halves = 0
    package internal(set) var ops = 0
    /// What is not readable between the log's start and end, in order.
    var damagedRanges: [Range<LogOffset>] = []
    /// Topics that a broker has deleted since their queues were recorded: to build them again would bring them back.
    var deletedTopics: Set<String> = []

    /// The findings that make a store corrupt.
    package var damage: [StoreFinding] { findings.filter { $0.severity > .note } }

    /// What repairing would do, in order.
    package var steps: [RepairStep] {
        var steps = Set(findings.compactMap(\.step))
        // What a failing disk does not return now may still be there, and in files of another size than was believed
        // messages are looked for at wrong places: nothing is built, or cut, without them.
        if findings.contains(where: Self.forbidsChanges) {
            return steps.filter { if case .restore = $0 { true } else { false } }.sorted()
        }
        if findings.contains(where: Self.asksForRebuild) { steps.insert(.rebuild) }
        return steps.sorted()
    }

    private static func forbidsChanges(_ finding: StoreFinding) -> Bool {
        switch finding.kind {
        case .unreadable: true
        case .strangeFile, .wrongLength: finding.severity == .loss
        default: false
        }
    }

    private static func asksForRebuild(_ finding: StoreFinding) -> Bool {
        guard let step = finding.step else { return false }
        switch finding.kind {
        case .strangeFile: return false
        // Those of the store itself say how far the queues are.
        case .sideFile: return step == .setAside(path: finding.path) && finding.path.contains("/escrow/")
        default: return true
        }
    }

    /// Adds what somebody who knows more of the files has found.
    package mutating func add(_ more: [StoreFinding]) { findings += more }
}

package struct QueueName: Sendable, Hashable {
    package var topic: String
    package var queueID: Int32

    package init(topic: String, queueID: Int32) {
        self.topic = topic
        self.queueID = queueID
    }
}

/// How far verifying is.
package struct VerifyProgress: Sendable, Hashable {
    package var bytes: Int
    /// What will have been read at the end; an estimate.
    package var total: Int
}

/// Reads a closed store from end to end and compares its files with each other. Writes nothing.
package struct StoreVerifier {
    private let configuration: StoreConfiguration
    private let device: any StorageDevice
    private let sideFiles: [SideFileFormat]
    private let progress: (VerifyProgress) -> Void

    /// - Parameter sideFiles: the files of the store's owner.
    package init(
        _ configuration: StoreConfiguration, device: any StorageDevice, sideFiles: [SideFileFormat] = [],
        progress: @escaping (VerifyProgress) -> Void = { _ in }
    ) {
        self.configuration = configuration
        self.device = device
        self.sideFiles = sideFiles
        self.progress = progress
    }

    /// Locks the store against a broker as long as it runs, if a broker ever locked it.
    ///
    /// - Parameters:
    ///   - lock: the store's, from somebody who keeps it for longer; see ``StoreRepair/lock()``.
    ///   - isKnownTopic: told of the side files' texts, says whether a topic exists; nil when it cannot.
    /// - Throws: `locked` while a broker runs on the store, `notFound` when there is no log, `configuration`, or the
    ///   device's error.
    package func run(
        lock: StoreLock? = nil, isKnownTopic: ([String: ByteBuffer], String) -> Bool? = { _, _ in nil }
    ) throws(StoreError) -> VerifyReport {
        let held: StoreLock?
        if let lock {
            held = lock
        } else {
            held = try StoreLock.hold(directory: configuration.directory, device: device)
        }
        defer { withExtendedLifetime(held) {} }
        try configuration.validate()
        guard let levels = DelayLevels(configuration.delayLevels) else {
            throw StoreError(.configuration, "delayLevels (messageDelayLevel) is \"\(configuration.delayLevels)\"")
        }
        try configuration.requireLog(device)
        let total = try expectedBytes()
        var pass = VerifyPass(configuration, device: device, levels: levels, total: total, progress: progress)
        try pass.readRecords(sideFiles)
        try pass.readLog()
        try pass.compare(isKnownTopic)
        return pass.report
    }

    /// The length of log and queue files; holes count, so it is too much.
    private func expectedBytes() throws(StoreError) -> Int {
        var total = 0
        for directory in configuration.allLogDirectories {
            for entry in try device.list(directory) ?? [] where !entry.isDirectory { total += entry.length }
        }
        return total
    }
}

extension StoreConfiguration {
    /// - Throws: `notFound` when there is no log, `configuration` when a read-only directory is missing.
    func requireLog(_ device: any StorageDevice) throws(StoreError) {
        try requireReadOnlyLogDirectories(device)
        for directory in allLogDirectories where try device.exists(directory) { return }
        throw StoreError(
            .notFound,
            "\(sortedLogDirectories[0]) does not exist: \(directory) is no store; name its directory, or the broker's"
                + " file with -c")
    }
}
