import MQClient
import MQProtocol
import NIOCore

/// Reads everything a broker has, queue by queue, from the first offset to the last.
struct ReadBack: Sendable {
    var client: MQClient

    func all() async throws -> Contents {
        try await withThrowingTaskGroup(of: (QueueName, QueueContents).self) { group in
            for queue in Topics.queues { group.addTask { (queue, try await read(queue)) } }
            var contents: Contents = [:]
            for try await (name, queue) in group { contents[name] = queue }
            return contents
        }
    }

    func read(_ queue: QueueName) async throws -> QueueContents {
        let minimum = try await client.minimumOffset(of: queue.queue)
        let maximum = try await client.maximumOffset(of: queue.queue)
        var contents = QueueContents(minimum: minimum, maximum: maximum)
        var next = minimum
        while next < maximum {
            let result = try await client.pull(queue.queue, from: next)
            contents.messages += result.messages.map { FoundMessage($0) }.filter { $0.place.offset < maximum }
            guard result.nextOffset > next else {
                throw Violation(
                    .liveness, "\(queue): a pull from \(next) of \(maximum) says \(result.status) and does not go on")
            }
            next = result.nextOffset
        }
        // What expired while it was read is gone, and so is what was read before it.
        contents.minimum = max(minimum, min(maximum, try await client.minimumOffset(of: queue.queue)))
        contents.messages.removeAll { $0.place.offset < contents.minimum }
        return contents
    }
}

extension FoundMessage {
    init(_ message: ReceivedMessage) {
        self.init(
            place: Place(queue: QueueName(message.topic, message.queueID), offset: message.queueOffset),
            body: message.body, keys: message.properties["KEYS"], tag: message.tag,
            note: message.properties[Payload.noteName], flag: message.flag, storedAt: message.storeTimestamp)
    }
}
