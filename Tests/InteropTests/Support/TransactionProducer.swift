import Logging
import MQProtocol
import MQRemoting
import NIOCore
import NIOPosix

/// What a stock transaction producer puts on the wire, one step at a time, so that a test can leave steps out, repeat
/// them and get them wrong.
struct TransactionProducer: Sendable {
    enum Verdict: Int32, Sendable {
        case unknown = 0
        case commit = 8
        case rollback = 12
    }

    /// A stored half message, by what END_TRANSACTION must name.
    struct Half: Sendable {
        var body: String
        var queueOffset: Int64
        var logOffset: Int64
        var uniqueID: String
    }

    /// The broker asks for a verdict.
    struct Check: Sendable {
        var body: String
        var queueOffset: Int64
        var logOffset: Int64
        var uniqueID: String
        var connection: ConnectionHandle
    }

    let brokerAddress: String
    let group: String
    let topic: String
    let checks: EventLog<Check>
    private let client: RemotingClient
    private let ids = UniqueIDGenerator(ip: .v4(0x7F00_0001), processID: 1)

    static func with<Value>(
        _ cluster: Cluster, group: String, topic: String, _ body: (TransactionProducer) async throws -> Value
    ) async throws -> Value {
        let checks = EventLog<Check>()
        let client = RemotingClient(group: .singleton, logger: Logger(label: "transactions")) { frame, connection in
            if !frame.isOneWay { connection.finishWithoutReply() }
            if let check = Check(frame, connection.handle) { checks.append(check) }
        }
        let producer = TransactionProducer(
            brokerAddress: cluster.brokerAddress, group: group, topic: topic, checks: checks, client: client)
        do {
            try await producer.heartbeat()
            let value = try await body(producer)
            await client.shutdown()
            return value
        } catch {
            await client.shutdown()
            throw error
        }
    }

    /// Makes this connection the one that check-backs come to.
    func heartbeat() async throws {
        let text =
            "{\"clientID\":\"127.0.0.1@\(group)\",\"consumerDataSet\":[],"
            + "\"producerDataSet\":[{\"groupName\":\"\(group)\"},{\"groupName\":\"CLIENT_INNER_PRODUCER\"}]}"
        let answer = try await client.request(to: brokerAddress, .heartbeat, body: ByteBuffer(string: text))
        guard answer.responseCode == .success else { throw InteropError("The heartbeat was refused: \(answer.code)") }
    }

    /// - Parameter immunity: seconds before the first check-back; nil for the broker's own.
    ///
    /// - Parameter copyOf: sends the same message again, under its unique key, as a producer's retry does.
    func sendHalf(_ body: String, immunity: Int? = nil, copyOf: Half? = nil) async throws -> Half {
        let uniqueID = copyOf?.uniqueID ?? ids.next().hex
        var properties = MessageProperties()
        properties[PropertyName.transactionPrepared] = "true"
        properties[PropertyName.producerGroup] = group
        properties[PropertyName.uniqueKey] = uniqueID
        properties[PropertyName.waitStored] = "true"
        if let immunity { properties[PropertyName.checkImmunitySeconds] = String(immunity) }
        let header = SendMessageHeader(
            producerGroup: group, topic: topic, queueID: 0, sysFlag: SysFlag(rawValue: 4),
            bornTimestamp: TimeSource.system.now(), properties: properties.encode())
        let answer = try await client.request(
            to: brokerAddress, .sendMessageV2, header: header, body: ByteBuffer(string: body))
        guard answer.responseCode == .success, let queueOffset = answer.fields.int64("queueOffset"),
            let id = answer.fields.string("msgId").flatMap({ OffsetMessageID($0) })
        else { throw InteropError("The half message was refused: \(answer.code) \(answer.remark ?? "")") }
        return Half(body: body, queueOffset: queueOffset, logOffset: id.offset.rawValue, uniqueID: uniqueID)
    }

    /// Sends a verdict as stock producers do, without an answer.
    func end(_ half: Half, _ verdict: Verdict) async throws {
        let header = header(half.queueOffset, half.logOffset, half.uniqueID, verdict, isCheck: false)
        try await client.oneWay(to: brokerAddress, .endTransaction, header: header)
    }

    /// Sends a verdict and waits for what the broker says of it.
    func endAndAsk(_ half: Half, _ verdict: Verdict) async throws -> Frame {
        let header = header(half.queueOffset, half.logOffset, half.uniqueID, verdict, isCheck: false)
        return try await client.request(to: brokerAddress, .endTransaction, header: header)
    }

    /// Answers a check-back on the connection it came from.
    func answer(_ check: Check, _ verdict: Verdict) {
        let header = header(check.queueOffset, check.logOffset, check.uniqueID, verdict, isCheck: true)
        check.connection.onLoop { $0.sendOneWay(.endTransaction, header: header) }
    }

    /// Waits until a message was asked about so many times.
    func waitForChecks(_ count: Int, of body: String) async -> [Check] {
        _ = await checks.wait(for: Occurrences(left: count) { $0.body == body })
        return checks.elements.filter { $0.body == body }
    }

    private func header(
        _ queueOffset: Int64, _ logOffset: Int64, _ uniqueID: String, _ verdict: Verdict, isCheck: Bool
    ) -> EndTransactionHeader {
        EndTransactionHeader(
            producerGroup: group, queueOffset: QueueOffset(rawValue: queueOffset),
            logOffset: LogOffset(rawValue: logOffset), verdict: verdict.rawValue, fromTransactionCheck: isCheck,
            messageID: uniqueID)
    }
}

extension TransactionProducer.Check {
    fileprivate init?(_ frame: Frame, _ connection: ConnectionHandle) {
        var body = frame.body
        guard frame.requestCode == .checkTransactionState,
            let queueOffset = frame.fields.int64("tranStateTableOffset"),
            let logOffset = frame.fields.int64("commitLogOffset"),
            let message = try? StoredMessage(reading: &body)
        else { return nil }
        self.init(
            body: String(buffer: message.body), queueOffset: queueOffset, logOffset: logOffset,
            uniqueID: frame.fields.string("msgId") ?? message.messageID, connection: connection)
    }
}
