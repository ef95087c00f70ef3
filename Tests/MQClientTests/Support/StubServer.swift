import Logging
import MQClient
import MQProtocol
import MQRemoting
import NIOCore
import NIOPosix
import Synchronization

/// A server that answers as a test tells it to, and remembers what it was asked.
final class StubServer: Sendable {
    struct Answer: Sendable {
        var code: ResponseCode = .success
        var remark: String?
        var fields: [(String, String)] = []
        var body: ByteBuffer?
        var isGiven = true

        /// Leaves the request without an answer.
        static let never = Answer(isGiven: false)
    }

    let address: String
    private let server: RemotingServer<StubHandler>
    private let log: RequestLog

    var requests: [Frame] {
        log.all
    }

    /// The connection of the client that asked first.
    var client: ConnectionHandle? {
        log.connections.first
    }

    /// The request number `count` with that code, about that topic if one is named, when it has come.
    @discardableResult
    func request(_ code: RequestCode, topic: String? = nil, number count: Int = 1) async -> Frame {
        await log.wait(for: count) { frame in
            frame.requestCode == code && (topic == nil || frame.fields.string("topic") == topic)
        }
    }

    /// Closes every connection; clients open new ones.
    func disconnect() {
        for connection in log.connections { connection.close() }
    }

    /// Runs a server beside `body`.
    static func with<Value>(
        answer: @escaping @Sendable (Frame) -> Answer, _ body: (StubServer) async throws -> Value
    ) async throws -> Value {
        let log = RequestLog()
        let server = RemotingServer(
            RemotingServerConfiguration(), group: .singleton, logger: Logger(label: "stub")
        ) { _ in
            StubHandler(log: log, answer: answer)
        }
        let address = try await server.bind()
        let stub = StubServer(address: address.description, server: server, log: log)
        do {
            let value = try await body(stub)
            await server.shutdown(drain: .zero)
            return value
        } catch {
            await server.shutdown(drain: .zero)
            throw error
        }
    }

    private init(address: String, server: RemotingServer<StubHandler>, log: RequestLog) {
        self.address = address
        self.server = server
        self.log = log
    }
}

/// What a stub was asked, in order, and by whom.
final class RequestLog: Sendable {
    private struct Waiter {
        var isWanted: @Sendable (Frame) -> Bool
        var count: Int
        var continuation: CheckedContinuation<Frame, Never>
    }

    private struct State {
        var frames: [Frame] = []
        var connections: [ConnectionHandle] = []
        var waiters: [Waiter] = []
    }

    private let state = Mutex(State())

    func append(_ frame: Frame, from connection: ConnectionHandle) {
        let served = state.withLock { state in
            state.frames.append(frame)
            if !state.connections.contains(connection) { state.connections.append(connection) }
            let served = state.waiters.compactMap { waiter in
                Self.find(waiter, in: state.frames).map { (waiter.continuation, $0) }
            }
            state.waiters.removeAll { Self.find($0, in: state.frames) != nil }
            return served
        }
        for (continuation, frame) in served { continuation.resume(returning: frame) }
    }

    var all: [Frame] {
        state.withLock { $0.frames }
    }

    var connections: [ConnectionHandle] {
        state.withLock { $0.connections }
    }

    func wait(for count: Int, where isWanted: @escaping @Sendable (Frame) -> Bool) async -> Frame {
        await withCheckedContinuation { continuation in
            let waiter = Waiter(isWanted: isWanted, count: count, continuation: continuation)
            let found = state.withLock { state in
                let found = Self.find(waiter, in: state.frames)
                if found == nil { state.waiters.append(waiter) }
                return found
            }
            if let found { continuation.resume(returning: found) }
        }
    }

    private static func find(_ waiter: Waiter, in frames: [Frame]) -> Frame? {
        let wanted = frames.filter(waiter.isWanted)
        return wanted.count >= waiter.count ? wanted[waiter.count - 1] : nil
    }
}

final class StubHandler: RequestHandler {
    private let log: RequestLog
    private let answer: @Sendable (Frame) -> StubServer.Answer

    init(log: RequestLog, answer: @escaping @Sendable (Frame) -> StubServer.Answer) {
        self.log = log
        self.answer = answer
    }

    func handle(_ request: Frame, on connection: Connection) {
        log.append(request, from: connection.handle)
        guard !request.isOneWay else { return }
        let answer = answer(request)
        guard answer.isGiven else { return connection.finishWithoutReply() }
        connection.reply {
            $0.writeResponse(
                answer.code, to: request.replyTo, remark: answer.remark, header: NoFieldsHeader(), body: answer.body,
                extra: answer.fields)
        }
    }
}
