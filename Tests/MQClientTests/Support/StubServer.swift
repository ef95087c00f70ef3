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
    }

    let address: String
    private let server: RemotingServer<StubHandler>
    private let log: RequestLog

    var requests: [Frame] {
        log.all
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

/// What a stub was asked, in order.
final class RequestLog: Sendable {
    private let frames = Mutex<[Frame]>([])

    func append(_ frame: Frame) {
        frames.withLock { $0.append(frame) }
    }

    var all: [Frame] {
        frames.withLock { $0 }
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
        log.append(request)
        guard !request.isOneWay else { return }
        let answer = answer(request)
        connection.reply {
            $0.writeResponse(
                answer.code, to: request.replyTo, remark: answer.remark, header: NoFieldsHeader(), body: answer.body,
                extra: answer.fields)
        }
    }
}
