import MQProtocol
import MQRemoting
import NIOCore

struct PullAnswer: Sendable {
    var code: ResponseCode
    var remark: String?
    var nextOffset: Int64
    var messages: [StoredMessage]
}

extension RawClient {
    /// - Parameter hold: how long the broker may wait for a message when there is none.
    func pull(_ queue: QueueName, from offset: Int64, hold: Duration = .zero) async throws -> PullAnswer {
        let milliseconds = hold.components.seconds * 1000 + hold.components.attoseconds / 1_000_000_000_000_000
        let fields = [
            ("consumerGroup", "test-readers"), ("topic", queue.topic), ("queueId", "\(queue.queueID)"),
            ("queueOffset", "\(offset)"), ("maxMsgNums", "32"), ("sysFlag", hold > .zero ? "6" : "4"),
            ("commitOffset", "0"), ("suspendTimeoutMillis", "\(milliseconds)"), ("subscription", "*"),
            ("subVersion", "0"), ("expressionType", "TAG"),
        ]
        let frame = try await request(.pullMessage, fields, timeout: hold + .seconds(20))
        return PullAnswer(
            code: frame.responseCode, remark: frame.remark, nextOffset: frame.fields.int64("nextBeginOffset") ?? -1,
            messages: frame.responseCode == .success ? try StoredMessage.list(from: frame.body) : [])
    }

    /// Every message of a queue, in order; the broker says where the queue begins and ends.
    func readAll(_ queue: QueueName) async throws -> [StoredMessage] {
        let maximum = try await maximumOffset(queue)
        var messages: [StoredMessage] = []
        var offset: Int64 = 0
        while offset < maximum {
            let answer = try await pull(queue, from: offset)
            messages += answer.messages
            guard answer.nextOffset > offset else {
                throw TestFailure("\(queue) ends at \(maximum), but a pull at \(offset) gave \(answer.code)")
            }
            offset = answer.nextOffset
        }
        return messages
    }

    func maximumOffset(_ queue: QueueName) async throws -> Int64 {
        let frame = try await require(.getMaxOffset, [("topic", queue.topic), ("queueId", "\(queue.queueID)")])
        return frame.fields.int64("offset") ?? -1
    }

    /// Waits until everything that was acknowledged before is readable: messages become so in the order of the log, so
    /// a last one tells. Counting the messages of a queue does not: some may be there that were never acknowledged.
    func awaitEverythingSent() async throws {
        let queue = QueueName("Markers", 0)
        try await createTopic(queue.topic, queues: 1)
        let answer = try await send(OutgoingMessage(queue: queue, body: ByteBuffer(string: "marker")))
        for _ in 0..<100 {
            if try await pull(queue, from: answer.queueOffset, hold: .seconds(1)).code == .success { return }
        }
        throw TestFailure("the last message sent is not readable after 100 s")
    }

    func readAll(_ queues: [QueueName]) async throws -> StoreContents {
        var contents: StoreContents = [:]
        for queue in queues {
            contents[queue] = try await readAll(queue).map(FoundMessage.init)
        }
        return contents
    }

    /// What the broker finds by key.
    func query(topic: String, key: String) async throws -> [StoredMessage] {
        let fields = [
            ("topic", topic), ("key", key), ("maxNum", "32"), ("beginTimestamp", "0"),
            ("endTimestamp", "\(Int64.max)"),
        ]
        let frame = try await request(.queryMessage, fields)
        return frame.responseCode == .success ? try StoredMessage.list(from: frame.body) : []
    }
}
