import Foundation
import Logging
import MQProtocol
import MQRemoting
import MQStore
import NIOCore
import NIOPosix
import Synchronization

@testable import MQBroker

/// A broker that listens on a free port, with its store in a directory of its own.
struct LiveBroker {
    let service: BrokerService
    var address: String { "\(service.address)" }

    /// A directory for stores that outlive their brokers.
    static func withDirectory<Result>(_ body: (URL) async throws -> Result) async throws -> Result {
        let directory = FileManager.default.temporaryDirectory.appending(path: "broker-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: directory) }
        return try await body(directory)
    }

    /// Runs `body` against a broker that is stopped afterwards.
    static func with<Result>(
        _ change: (inout BrokerConfiguration) -> Void = { _ in },
        _ body: (LiveBroker) async throws -> Result
    ) async throws -> Result {
        try await withDirectory { try await with(change, in: $0, body) }
    }

    /// The same, in a directory that may hold a store already.
    static func with<Result>(
        _ change: (inout BrokerConfiguration) -> Void = { _ in },
        in directory: URL,
        on device: any StorageDevice = FileDevice(),
        time: TimeSource = .system,
        _ body: (LiveBroker) async throws -> Result
    ) async throws -> Result {
        var configuration = BrokerConfiguration()
        configuration.brokerName = "broker-a"
        configuration.network.listenPort = 0
        configuration.storage.directory = directory.path
        configuration.storage.segmentBytes = 1 << 20
        configuration.storage.queueSegmentBytes = 20_000
        configuration.storage.indexSlots = 100
        configuration.storage.indexEntries = 400
        change(&configuration)
        let service = try await BrokerService.start(
            configuration, device: device, time: time, group: .singleton, logger: silent
        )
        let running = Task { try await service.run() }
        let result: Result
        do {
            result = try await body(LiveBroker(service: service))
        } catch {
            running.cancel()
            _ = await running.result
            throw error
        }
        running.cancel()
        _ = await running.result
        return result
    }

    static let silent = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
}

/// A client that keeps what the broker asks it, and answers two-way requests with success.
final class FakeClient: Sendable {
    private struct State {
        var requests: [Frame] = []
        var waiters: [(code: RequestCode, count: Int, continuation: CheckedContinuation<Void, Never>)] = []
    }

    let clientID: String
    private let address: String
    private let remoting: RemotingClient
    private let inbox: Inbox

    private final class Inbox: Sendable {
        let state = Mutex(State())
    }

    /// - Parameter address: other than the broker's own.
    init(_ clientID: String, of broker: LiveBroker, at address: String? = nil, answer: ByteBuffer = ByteBuffer()) {
        let inbox = Inbox()
        self.clientID = clientID
        self.address = address ?? broker.address
        self.inbox = inbox
        self.remoting = RemotingClient(group: .singleton, logger: LiveBroker.silent) { frame, connection in
            Self.take(frame, inbox)
            guard !frame.isOneWay else { return }
            connection.reply(to: frame.replyTo, .success, header: EmptyHeader(), body: answer)
        }
    }

    func request(
        _ code: RequestCode, _ fields: [(String, String)] = [], body: ByteBuffer? = nil
    ) async throws -> Frame {
        try await remoting.request(to: address, code, body: body, extra: fields, timeout: .seconds(30))
    }

    func heartbeat(
        producers: [String] = [], consumers: [String: [String]] = [:], model: String = "CLUSTERING"
    ) async throws -> Frame {
        let data = HeartbeatData(
            clientID: clientID, producerGroups: producers,
            consumers: consumers.map { group, topics in
                ConsumerData(
                    groupName: group, messageModel: model, subscriptions: topics.map { SubscriptionData(topic: $0) })
            }
        )
        return try await request(.heartbeat, body: data.encode())
    }

    /// Returns when so many requests of that code have arrived.
    func waitFor(_ code: RequestCode, count: Int = 1) async {
        await withCheckedContinuation { continuation in
            let isThere = inbox.state.withLock { state in
                if state.requests.count(where: { $0.requestCode == code }) >= count { return true }
                state.waiters.append((code, count, continuation))
                return false
            }
            if isThere { continuation.resume() }
        }
    }

    var requests: [Frame] { inbox.state.withLock { $0.requests } }

    func close() async {
        await remoting.shutdown()
    }

    private static func take(_ frame: Frame, _ inbox: Inbox) {
        let done = inbox.state.withLock { state in
            state.requests.append(frame)
            let requests = state.requests
            let isDone = { (code: RequestCode, count: Int) in
                requests.count(where: { $0.requestCode == code }) >= count
            }
            let done = state.waiters.filter { isDone($0.code, $0.count) }.map(\.continuation)
            state.waiters.removeAll { isDone($0.code, $0.count) }
            return done
        }
        done.forEach { $0.resume() }
    }
}
