import MQProtocol
import MQRemoting
import NIOCore

@testable import MQBroker

/// A half message as its producer knows it.
struct SentHalf: Sendable {
    var group: String
    var key: String
    var queueOffset: Int64
    var logOffset: Int64
}

extension FakeClient {
    @discardableResult
    func send(
        _ body: String, to topic: String, properties: MessageProperties = [:], sysFlag: Int32 = 0,
        born: Timestamp = TimeSource.system.now()
    ) async throws -> Frame {
        let fields = Self.sendFields(topic, properties: properties, sysFlag: sysFlag, born: born)
        return try await request(.sendMessageV2, fields, body: ByteBuffer(string: body))
    }

    /// - Parameter items: a batch's body.
    func sendBatch(_ items: ByteBuffer, to topic: String) async throws -> Frame {
        let fields = Self.sendFields(topic, properties: [:], sysFlag: 0, born: TimeSource.system.now())
        return try await request(.sendBatchMessage, fields + [("m", "true")], body: items)
    }

    private static func sendFields(
        _ topic: String, properties: MessageProperties, sysFlag: Int32, born: Timestamp
    ) -> [(String, String)] {
        [
            ("a", "P"), ("b", topic), ("c", "TBW102"), ("d", "1"), ("e", "0"), ("f", "\(sysFlag)"),
            ("g", "\(born.milliseconds)"), ("h", "0"), ("i", String(buffer: properties.encode())),
            ("j", "0"), ("k", "false"),
        ]
    }

    /// - Parameters:
    ///   - key: the unique key; empty for none.
    ///   - immunity: seconds before the first check-back.
    func sendHalf(
        _ body: String, to topic: String, group: String = "P", key: String, immunity: Int = 3600,
        born: Timestamp = TimeSource.system.now()
    ) async throws -> SentHalf {
        var properties: MessageProperties = [
            PropertyName.transactionPrepared: "true", PropertyName.producerGroup: group,
            PropertyName.checkImmunitySeconds: "\(immunity)",
        ]
        if !key.isEmpty { properties[PropertyName.uniqueKey] = key }
        let answer = try await send(body, to: topic, properties: properties, sysFlag: 4, born: born)
        let id = answer.fields.string("msgId").flatMap { OffsetMessageID($0) }
        return SentHalf(
            group: group, key: key, queueOffset: answer.fields.int64("queueOffset") ?? -1,
            logOffset: id?.offset.rawValue ?? -1
        )
    }

    /// What the broker says about a verdict.
    func end(_ half: SentHalf, _ verdict: Verdict) async throws -> (ResponseCode, EndTransactionOutcome?) {
        let answer = try await request(
            .endTransaction,
            [
                ("producerGroup", half.group), ("tranStateTableOffset", "\(half.queueOffset)"),
                ("commitLogOffset", "\(half.logOffset)"), ("commitOrRollback", verdict == .commit ? "8" : "12"),
                ("fromTransactionCheck", "false"), ("msgId", half.key),
            ])
        return (answer.responseCode, try EndTransactionResponseHeader(answer.fields).outcome)
    }

    /// The messages of queue 0 of a topic, as one pull brings them.
    func pull(_ topic: String, from offset: Int64 = 0, hold: Int64 = 0) async throws -> (ResponseCode, [StoredMessage])
    {
        let answer = try await request(
            .pullMessage,
            [
                ("consumerGroup", "readers"), ("topic", topic), ("queueId", "0"), ("queueOffset", "\(offset)"),
                ("maxMsgNums", "32"), ("sysFlag", hold > 0 ? "6" : "4"), ("commitOffset", "0"),
                ("suspendTimeoutMillis", "\(hold)"), ("subscription", "*"), ("subVersion", "0"),
                ("expressionType", "TAG"),
            ])
        let found = answer.responseCode == .success
        return (answer.responseCode, found ? try StoredMessage.list(from: answer.body) : [])
    }
}
