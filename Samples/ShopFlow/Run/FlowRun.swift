import Foundation
import Logging
import MQClient
import MQEmbedded
import MQProtocol

/// One run of the flow: customers do what the workload says, the services do theirs, and when everything has come to
/// rest it is checked that nothing was lost, doubled or forgotten.
///
/// A run that was interrupted, however rudely, goes on when it is started again on the same store.
public struct FlowRun: Sendable {
    private let settings: FlowSettings
    private let onProgress: @Sendable (FlowProgress) -> Void
    private let time = TimeSource.system

    public init(_ settings: FlowSettings, onProgress: @escaping @Sendable (FlowProgress) -> Void = { _ in }) {
        self.settings = settings
        self.onProgress = onProgress
    }

    /// - Throws: ``FlowError``; errors of the services' databases; `CancellationError`.
    public func run() async throws -> FlowReport {
        let started = ContinuousClock.now
        onProgress(.starting)
        let (workload, malformedRows) = try Self.workload(settings.workload)
        let directory = storeDirectory
        defer { if settings.store == nil { try? FileManager.default.removeItem(at: directory) } }
        do {
            return try await run(workload, malformedRows, in: directory, started)
        } catch {
            let path = StoreDirectory.plainPath(directory)
            if let trouble = FlowError(error, store: path) { throw trouble }
            guard !(error is FlowError), !(error is CancellationError),
                !FileManager.default.fileExists(atPath: path)
            else { throw error }
            throw FlowError(.storeFailed, "The store \(path) is gone: it was deleted while the run used it.")
        }
    }

    private func run(
        _ workload: Workload, _ malformedRows: [MalformedRow], in directory: URL, _ started: ContinuousClock.Instant
    ) async throws -> FlowReport {
        let store = try Store.open(
            directory, workload, settings.workload, isEmbedded: settings.nameServers == nil, now: time.now())
        let (checks, totals, isComplete) = try await onBroker(store) { nameServers in
            try await run(store, workload, nameServers)
        }
        try store.close()
        return FlowReport(
            title: title, totals: totals, checks: checks, malformedRows: malformedRows,
            seconds: started.duration(to: .now) / .seconds(1), isResumed: store.isResumed, isComplete: isComplete)
    }

    /// The settings with which a store was made; nil when there is no run in it yet.
    ///
    /// - Throws: ``FlowError/Code/storeMismatch``.
    public static func workload(ofStore directory: String) throws -> WorkloadSettings? {
        guard FileManager.default.fileExists(atPath: directory) else { return nil }
        return try Store.settings(in: URL(filePath: directory, directoryHint: .isDirectory))?.workload
    }

    private var title: String {
        let name =
            switch settings.workload.source {
            case .demo(let orders): "Demo of \(grouped(Int64(orders))) orders"
            case .file: "Replay of \(settings.workload.source.name)"
            }
        return name + (settings.isChaotic ? ", with chaos" : "")
    }

    private var storeDirectory: URL {
        if let path = settings.store { return URL(filePath: path, directoryHint: .isDirectory) }
        let name = "escrow-\(String(UInt64.random(in: 0...UInt64.max), radix: 36))"
        return FileManager.default.temporaryDirectory.appending(path: name, directoryHint: .isDirectory)
    }

    private static func workload(_ settings: WorkloadSettings) throws(FlowError) -> (Workload, [MalformedRow]) {
        switch settings.source {
        case .demo(let orders): return (.demo(orders: orders, settings), [])
        case .file(let path):
            let file = try OrderFile.read(path)
            return (.replay(file, settings), file.malformedRows)
        }
    }

    // MARK: The broker

    private func onBroker<Value: Sendable>(
        _ store: Store, _ body: (NameServerAddresses) async throws -> Value
    ) async throws -> Value {
        if let nameServers = settings.nameServers { return try await body(nameServers) }
        var configuration = EmbeddedBrokerConfiguration()
        configuration.directory = store.brokerDirectory
        configuration.logger = settings.logger
        // A service that was stopped when it was asked is asked again soon.
        configuration.checkInterval = .seconds(2)
        let broker = try await EmbeddedBroker.start(configuration)
        let result: Result<Value, any Error>
        do {
            result = .success(try await body(try NameServerAddresses(broker.nameServers)))
        } catch {
            result = .failure(error)
        }
        await broker.stop()
        return try result.get()
    }

    private func run(
        _ store: Store, _ workload: Workload, _ nameServers: NameServerAddresses
    ) async throws -> ([CheckResult], Totals, Bool) {
        var configuration = MQClientConfiguration(nameServers: nameServers)
        configuration.logger = settings.logger
        return try await MQClient.with(configuration) { client in
            let ground = Ground(client: client, nameServers: nameServers, namespace: store.settings.namespace)
            let brokers = try await ground.brokers()
            try await ground.prepareTopics()
            let halves = try await Patience(time: time).ask { try await HalfMessages.of(store, at: brokers, client) }
            let stall = Stall(
                store: store, halves: halves, nameServers: nameServers, isKept: settings.store != nil)
            let floor = ShopFloor(
                store: store, workload: workload, settings: settings, nameServers: nameServers, halves: halves,
                stall: stall, time: time, onProgress: onProgress)
            let isComplete = try await floor.run()
            onProgress(.checking)
            let (checks, totals) = try await check(store, stall)
            return (checks, totals, isComplete)
        }
    }

    private func check(_ store: Store, _ stall: Stall) async throws -> ([CheckResult], Totals) {
        var patience = Patience(time: time)
        // The broker of this process goes with it: it needs no such help.
        if settings.nameServers != nil {
            patience.onWait = { onProgress(.waiting(stall.brokerIsAway)) }
            patience.onAnswer = { onProgress(.goingOn) }
        }
        let namespace = store.settings.namespace
        let (topics, undecided) = try await patience.ask {
            (
                try await Topics.read(
                    Checks.topics, namespace: namespace, at: stall.halves.brokers, stall.halves.client),
                try await stall.halves.undecided()
            )
        }
        let checks = try await Checks.all(store, topics, undecided: undecided, now: time.now())
        var totals = try await Totals.read(store)
        totals.messages = Int64(topics.messages.values.map(\.count).reduce(0, +))
        return (checks, totals)
    }
}
