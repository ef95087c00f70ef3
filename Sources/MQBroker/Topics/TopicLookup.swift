import MQProtocol
import NIOCore

/// The topics that one event loop's sends went to lately, found by the bytes of their name: a send to one of them makes
/// no string, no hash and takes no lock.
struct TopicLookup {
    /// A few, so that a miss costs little.
    private static let limit = 8

    private var topics: [Topic] = []
    private var next = 0
    /// Deletions of the table when the topics were found in it.
    private var deletions = 0

    /// Nil when there is no such topic.
    mutating func find(_ request: borrowing SendRequest, in table: TopicTable) -> Topic? {
        forgetDeleted(table)
        for topic in topics where request.isFor(topic: topic.nameBytes) { return topic }
        return keep(table.find(request.topic))
    }

    /// Nil when there is no such topic. The name is the text at `range`.
    mutating func find(_ bytes: ByteBuffer, _ range: Range<Int>, in table: TopicTable) -> Topic? {
        forgetDeleted(table)
        let name = bytes.readableBytesUInt8Span.extracting(range)
        for topic in topics where topic.nameBytes.count == name.count {
            let bytes = topic.nameBytes
            if name.starts(with: bytes.span, at: 0) { return topic }
        }
        return keep(bytes.getString(at: bytes.readerIndex + range.lowerBound, length: range.count).flatMap(table.find))
    }

    private mutating func forgetDeleted(_ table: TopicTable) {
        let deletions = table.deletions
        if deletions != self.deletions {
            topics.removeAll(keepingCapacity: true)
            self.deletions = deletions
        }
    }

    private mutating func keep(_ topic: Topic?) -> Topic? {
        guard let topic else { return nil }
        if topics.count < Self.limit {
            topics.append(topic)
        } else {
            topics[next] = topic
            next = (next + 1) % Self.limit
        }
        return topic
    }
}
