import Logging
import MQProtocol
import MQRemoting
import NIOCore
import NIOPosix

/// Sends half messages and verdicts, and answers check-backs with commit, as a transaction producer does.
struct DemoTransactions: Sendable {
    static let group = "PG_demo"

    struct Half: Sendable {
        var queueOffset: QueueOffset
        var logOffset: LogOffset
        var uniqueID: String
    }

    private let client: RemotingClient
    private let brokerAddress: String
    private let ids = UniqueIDGenerator(ip: .v4(0x7F00_0001), processID: 0)

    /// - Parameter onCheck: told the body that the broker asked about.
    static func with<Value>(
        brokerAddress: String, onCheck: @escaping @Sendable (String) -> Void,
        _ body: (DemoTransactions) async throws -> Value
    ) async throws -> Value {
        let client = RemotingClient(group: .singleton, logger: Logger(label: "demo")) { frame, connection in
            if !frame.isOneWay { connection.finishWithoutReply() }
            answer(frame, on: connection, onCheck)
        }
        do {
            let demo = DemoTransactions(client: client, brokerAddress: brokerAddress)
            try await demo.announce()
            let value = try await body(demo)
            await client.shutdown()
            return value
        } catch {
            await client.shutdown()
            throw error
        }
    }

    private init(client: RemotingClient, brokerAddress: String) {
        self.client = client
        self.brokerAddress = brokerAddress
    }

    func sendHalf(_ body: String, topic: String) async throws -> Half {
        let uniqueID = ids.next().hex
        var properties = MessageProperties()
        properties[PropertyName.transactionPrepared] = "true"
        properties[PropertyName.producerGroup] = Self.group
        properties[PropertyName.uniqueKey] = uniqueID
        let header = SendMessageHeader(
            producerGroup: Self.group, topic: topic, queueID: 0, sysFlag: SysFlag(rawValue: 4),
            bornTimestamp: TimeSource.system.now(), properties: properties.encode())
        let answer = try await client.request(
            to: brokerAddress, .sendMessageV2, header: header, body: ByteBuffer(string: body))
        guard answer.responseCode == .success, let queueOffset = answer.fields.int64("queueOffset"),
            let id = answer.fields.string("msgId").flatMap({ OffsetMessageID($0) })
        else { throw BenchError("The half message was refused: code \(answer.code) \(answer.remark ?? "")") }
        return Half(queueOffset: QueueOffset(rawValue: queueOffset), logOffset: id.offset, uniqueID: uniqueID)
    }

    func end(_ half: Half, commits: Bool) async throws {
        let header = EndTransactionHeader(
            producerGroup: Self.group, queueOffset: half.queueOffset, logOffset: half.logOffset,
            verdict: commits ? 8 : 12, messageID: half.uniqueID)
        try await client.oneWay(to: brokerAddress, .endTransaction, header: header)
    }

    /// Makes this connection the one that check-backs come to.
    private func announce() async throws {
        let text =
            "{\"clientID\":\"127.0.0.1@demo\",\"consumerDataSet\":[],"
            + "\"producerDataSet\":[{\"groupName\":\"\(Self.group)\"}]}"
        let answer = try await client.request(to: brokerAddress, .heartbeat, body: ByteBuffer(string: text))
        guard answer.responseCode == .success else {
            throw BenchError("The broker refused the heartbeat with code \(answer.code).")
        }
    }

    private static func answer(_ frame: Frame, on connection: Connection, _ onCheck: (String) -> Void) {
        var body = frame.body
        guard frame.requestCode == .checkTransactionState,
            let queueOffset = frame.fields.int64("tranStateTableOffset"),
            let logOffset = frame.fields.int64("commitLogOffset"),
            let message = try? StoredMessage(reading: &body)
        else { return }
        onCheck(String(buffer: message.body))
        let header = EndTransactionHeader(
            producerGroup: group, queueOffset: QueueOffset(rawValue: queueOffset),
            logOffset: LogOffset(rawValue: logOffset), verdict: 8, fromTransactionCheck: true,
            messageID: message.messageID)
        connection.sendOneWay(.endTransaction, header: header)
    }
}
