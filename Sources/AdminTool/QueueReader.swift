import MQClient
import MQProtocol

/// Reads queues from an offset or a time to another, without consuming: no group's offsets move.
struct QueueReader {
    let client: MQClient
    var tags = "*"
    var group = "TOOLS_CONSUMER"

    /// The offsets from `begin` (nil: the first message) up to `end` (nil: the last one).
    func range(of queue: MessageQueue, from begin: Timestamp?, to end: Timestamp?) async throws -> Range<Int64> {
        let minimum = try await client.minimumOffset(of: queue)
        let maximum = try await client.maximumOffset(of: queue)
        let lower: Int64
        if let begin { lower = try await client.offset(of: queue, at: begin) } else { lower = minimum }
        let upper: Int64
        if let end { upper = try await client.offset(of: queue, at: end) } else { upper = maximum }
        return lower..<max(lower, upper)
    }

    /// Hands out the messages of a range, 32 at a time.
    ///
    /// - Parameter show: returns false to stop.
    /// - Returns: how the last pull ended, and where.
    func read(
        _ queue: MessageQueue, _ range: Range<Int64>, _ show: (ReceivedMessage) -> Bool
    ) async throws -> (status: PullResult.Status, offset: Int64) {
        var offset = range.lowerBound
        while offset < range.upperBound {
            let result = try await client.pull(
                queue, from: offset, maximumCount: 32, tags: tags, group: group)
            for message in result.messages where message.queueOffset < range.upperBound {
                if !show(message) { return (result.status, message.queueOffset + 1) }
            }
            guard result.nextOffset > offset else { return (result.status, offset) }
            offset = result.nextOffset
            if result.status == .noNewMessage { return (result.status, offset) }
        }
        return (.noNewMessage, offset)
    }
}
