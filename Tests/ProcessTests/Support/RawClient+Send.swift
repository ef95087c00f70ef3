import MQProtocol
import MQRemoting
import NIOCore

/// A message as a producer hands it over.
struct OutgoingMessage: Sendable {
    var queue: QueueName
    var body: ByteBuffer
    var properties = MessageProperties()
    var sysFlag: Int32 = 0
}

struct SendAnswer: Sendable {
    var code: ResponseCode
    var remark: String?
    var queueID: Int32
    /// Of the first message of a batch.
    var queueOffset: Int64
    /// Positions in the log, one for each message.
    var logOffsets: [Int64]

    init(_ frame: Frame) {
        code = frame.responseCode
        remark = frame.remark
        queueID = frame.fields.int32("queueId") ?? -1
        queueOffset = frame.fields.int64("queueOffset") ?? -1
        let ids = (frame.fields.string("msgId") ?? "").split(separator: ",")
        logOffsets = ids.compactMap { OffsetMessageID(String($0))?.offset.rawValue }
    }
}

extension RawClient {
    private static let longNames = [
        "producerGroup", "topic", "defaultTopic", "defaultTopicQueueNums", "queueId", "sysFlag", "bornTimestamp",
        "flag", "properties", "reconsumeTimes", "unitMode", "batch",
    ]
    private static let shortNames = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "m"]

    static func sendFields(
        _ queue: QueueName, properties: MessageProperties, sysFlag: Int32 = 0, isBatch: Bool = false,
        usesLongNames: Bool = false
    ) -> [(String, String)] {
        let values = [
            "test-producers", queue.topic, "TBW102", "4", "\(queue.queueID)", "\(sysFlag)",
            "\(TimeSource.system.now().milliseconds)", "0", String(buffer: properties.encode()), "0", "false",
            "\(isBatch)",
        ]
        return Array(zip(usesLongNames ? longNames : shortNames, values))
    }

    func send(_ message: OutgoingMessage, usesLongNames: Bool = false) async throws(RemotingError) -> SendAnswer {
        let fields = Self.sendFields(
            message.queue, properties: message.properties, sysFlag: message.sysFlag, usesLongNames: usesLongNames)
        return SendAnswer(try await request(usesLongNames ? .sendMessage : .sendMessageV2, fields, body: message.body))
    }

    /// All messages go where the first one does.
    func sendBatch(_ messages: [OutgoingMessage]) async throws -> SendAnswer {
        var body = ByteBuffer()
        for message in messages {
            try BatchItem(body: message.body, properties: message.properties.encode()).write(to: &body)
        }
        let queue = messages.first?.queue ?? QueueName("", 0)
        let fields = Self.sendFields(queue, properties: [PropertyName.waitStored: "true"], isBatch: true)
        return SendAnswer(try await request(.sendBatchMessage, fields, body: body))
    }

    func createTopic(_ name: String, queues: Int32) async throws {
        try await require(.updateAndCreateTopic, Self.topicFields(name, queues: queues))
    }

    static func topicFields(_ name: String, queues: Int32) -> [(String, String)] {
        [
            ("topic", name), ("defaultTopic", "TBW102"), ("readQueueNums", "\(queues)"),
            ("writeQueueNums", "\(queues)"), ("perm", "6"), ("topicFilterType", "SINGLE_TAG"), ("topicSysFlag", "0"),
            ("order", "false"),
        ]
    }
}
