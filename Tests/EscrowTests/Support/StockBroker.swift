import Logging
import MQProtocol
import MQRemoting
import NIOCore
import NIOPosix
import Synchronization

@testable import Escrow

/// A name server and a stock broker in one: it announces nothing, knows every topic and takes every message.
final class StockBroker: Sendable {
    let address: String
    private let log: SendLog

    /// The idempotency key of each message it was sent, in order.
    var keys: [String] { log.keys.withLock { $0 } }

    /// The delay level of each message it was sent, in order; nil for one without.
    var delayLevels: [Int?] { log.levels.withLock { $0 } }

    /// - Parameter key: the message with that idempotency key is illegal.
    static func with<Value>(
        refusing key: String? = nil, _ body: (StockBroker) async throws -> Value
    ) async throws -> Value {
        let log = SendLog(refused: key)
        let server = RemotingServer(
            RemotingServerConfiguration(), group: .singleton,
            logger: Logger(label: "stock") { _ in SwiftLogNoOpLogHandler() }
        ) { _ in StockHandler(log: log) }
        let address = try await server.bind().description
        log.address.withLock { $0 = address }
        let result: Result<Value, any Error>
        do { result = .success(try await body(StockBroker(address: address, log: log))) } catch {
            result = .failure(error)
        }
        await server.shutdown(drain: .zero)
        return try result.get()
    }

    private init(address: String, log: SendLog) {
        self.address = address
        self.log = log
    }
}

private final class SendLog: Sendable {
    let refused: String?
    let keys = Mutex<[String]>([])
    let address = Mutex("")
    let levels = Mutex<[Int?]>([])

    init(refused: String?) {
        self.refused = refused
    }
}

private final class StockHandler: RequestHandler {
    private let log: SendLog

    init(log: SendLog) {
        self.log = log
    }

    func handle(_ request: Frame, on connection: Connection) {
        guard !request.isOneWay else { return }
        switch request.requestCode {
        case .getRouteInfoByTopic:
            let route = TopicRouteData(
                queueDatas: [QueueData(brokerName: "stock", readQueueNums: 1, writeQueueNums: 1, perm: 6)],
                brokerDatas: [
                    BrokerData(
                        cluster: "C", brokerName: "stock", brokerAddrs: [0: log.address.withLock { $0 }])
                ])
            connection.reply {
                $0.writeResponse(
                    .success, to: request.replyTo, remark: nil, header: NoFieldsHeader(), body: route.encodeStandard(),
                    extra: [])
            }
        case .sendMessageV2:
            let properties = MessageProperties(text: request.fields.string("i") ?? "")
            log.levels.withLock { $0.append(properties[PropertyName.delayLevel].flatMap { Int($0) }) }
            let key = properties[EventProperty.idempotencyKey] ?? ""
            log.keys.withLock { $0.append(key) }
            guard key != log.refused else {
                let remark = "the message is illegal, maybe msg body or properties length not matched"
                return connection.reply(to: request.replyTo, .messageIllegal, remark: remark)
            }
            connection.reply {
                $0.writeResponse(
                    .success, to: request.replyTo, remark: nil, header: NoFieldsHeader(), body: nil,
                    extra: [
                        ("msgId", "7F00000100002A9F0000000000000010"), ("queueId", "0"), ("queueOffset", "7"),
                    ])
            }
        default:
            connection.reply {
                $0.writeResponse(
                    .success, to: request.replyTo, remark: nil, header: NoFieldsHeader(), body: nil, extra: [])
            }
        }
    }
}
