import Logging
import MQClient
import MQProtocol
import MQRemoting
import NIOCore
import NIOPosix
import Synchronization

@testable import Escrow

/// A name server and a stock broker in one: it announces nothing, knows every topic, takes every message and every
/// verdict, and finds no message, unless the test says otherwise.
final class StockBroker: Sendable {
    enum Reply: Sendable {
        case standard
        case code(ResponseCode, remark: String? = nil, body: ByteBuffer? = nil)
        /// The request came, and its answer is lost.
        case hangUp
        case never
    }

    let address: String
    private let log: RequestLog

    /// What it was asked, in order.
    var requests: [Frame] { log.requests.withLock { $0 } }

    func requests(_ code: RequestCode) -> [Frame] { requests.filter { $0.requestCode == code } }

    /// The idempotency key of each message it was sent, in order.
    var keys: [String] {
        requests(.sendMessageV2).map { Self.properties($0)[EventProperty.idempotencyKey] ?? "" }
    }

    /// The delay level of each message it was sent, in order; nil for one without.
    var delayLevels: [Int?] {
        requests(.sendMessageV2).map { request in
            Self.properties(request)[PropertyName.delayLevel].flatMap { Int($0) }
        }
    }

    private static func properties(_ send: Frame) -> MessageProperties {
        MessageProperties(text: send.fields.string("i") ?? "")
    }

    /// Calls the message with an idempotency key illegal.
    static func with<Value>(refusing key: String, _ body: (StockBroker) async throws -> Value) async throws -> Value {
        let remark = "the message is illegal, maybe msg body or properties length not matched"
        return try await with(
            { request in
                let isRefused =
                    request.requestCode == .sendMessageV2 && properties(request)[EventProperty.idempotencyKey] == key
                return isRefused ? .code(.messageIllegal, remark: remark) : .standard
            }, body)
    }

    /// - Parameter reply: to what is not one-way, on the event loop.
    static func with<Value>(
        _ reply: @escaping @Sendable (Frame) -> Reply = { _ in .standard },
        _ body: (StockBroker) async throws -> Value
    ) async throws -> Value {
        let log = RequestLog()
        let server = RemotingServer(
            RemotingServerConfiguration(), group: .singleton,
            logger: Logger(label: "stock") { _ in SwiftLogNoOpLogHandler() }
        ) { _ in StockHandler(log: log, reply: reply) }
        let address = try await server.bind().description
        log.address.withLock { $0 = address }
        let result: Result<Value, any Error>
        do { result = .success(try await body(StockBroker(address: address, log: log))) } catch {
            result = .failure(error)
        }
        await server.shutdown(drain: .zero)
        return try result.get()
    }

    private init(address: String, log: RequestLog) {
        self.address = address
        self.log = log
    }

    /// Runs a client of it beside `body`.
    func withClient<Value>(_ body: (MQClient) async throws -> Value) async throws -> Value {
        var configuration = MQClientConfiguration(nameServers: try NameServerAddresses(address))
        configuration.logger = Logger(label: "stock") { _ in SwiftLogNoOpLogHandler() }
        return try await MQClient.with(configuration, body)
    }

    /// A half message that it keeps.
    func half(messageID: String = "ID", isFinal: Bool = false) -> HalfMessage {
        HalfMessage(
            topic: "orders", brokerName: "stock", brokerAddress: address, queueID: 0, logOffset: 16, queueOffset: 7,
            messageID: messageID, transactionID: messageID, status: .stored, keepsVerdictsFinal: isFinal)
    }

    /// What it answers when it is asked for a message that it has.
    static func found(messageID: String = "ID", topic: String = "orders") -> Reply {
        let draft = MessageDraft(
            topic: topic, queueID: 0, bornTimestamp: Timestamp(milliseconds: 1),
            bornHost: HostAddress(ip: .v4(1), port: 1), storeHost: HostAddress(ip: .v4(1), port: 2),
            body: ByteBuffer(string: "{}"),
            properties: ([PropertyName.uniqueKey: messageID] as MessageProperties).encode())
        var body = ByteBuffer()
        guard (try? body.writeRecord(draft)) != nil else { return .code(.systemError) }
        return .code(.success, body: body)
    }
}

private final class RequestLog: Sendable {
    let address = Mutex("")
    let requests = Mutex<[Frame]>([])
}

private final class StockHandler: RequestHandler {
    private let log: RequestLog
    private let reply: @Sendable (Frame) -> StockBroker.Reply

    init(log: RequestLog, reply: @escaping @Sendable (Frame) -> StockBroker.Reply) {
        self.log = log
        self.reply = reply
    }

    func handle(_ request: Frame, on connection: Connection) {
        log.requests.withLock { $0.append(request) }
        guard !request.isOneWay else { return }
        switch reply(request) {
        case .standard: standard(request, on: connection)
        case .code(let code, let remark, let body): answer(request, on: connection, code, remark: remark, body: body)
        case .hangUp: connection.close()
        case .never: connection.finishWithoutReply()
        }
    }

    private func standard(_ request: Frame, on connection: Connection) {
        switch request.requestCode {
        case .getRouteInfoByTopic:
            let route = TopicRouteData(
                queueDatas: [QueueData(brokerName: "stock", readQueueNums: 1, writeQueueNums: 1, perm: 6)],
                brokerDatas: [broker])
            answer(request, on: connection, .success, body: route.encodeStandard())
        case .getBrokerClusterInfo:
            let cluster = ClusterInfo(brokerAddrTable: ["stock": broker], clusterAddrTable: ["C": ["stock"]])
            answer(request, on: connection, .success, body: cluster.encode())
        case .sendMessageV2:
            answer(request, on: connection, .success)
        case .queryMessage:
            answer(request, on: connection, .queryNotFound)
        default:
            answer(request, on: connection, .success)
        }
    }

    private var broker: BrokerData {
        BrokerData(cluster: "C", brokerName: "stock", brokerAddrs: [0: log.address.withLock { $0 }])
    }

    private func answer(
        _ request: Frame, on connection: Connection, _ code: ResponseCode, remark: String? = nil,
        body: ByteBuffer? = nil
    ) {
        let place = [("msgId", "7F00000100002A9F0000000000000010"), ("queueId", "0"), ("queueOffset", "7")]
        connection.reply {
            $0.writeResponse(
                code, to: request.replyTo, remark: remark, header: NoFieldsHeader(), body: body,
                extra: request.requestCode == .sendMessageV2 ? place : [])
        }
    }
}
