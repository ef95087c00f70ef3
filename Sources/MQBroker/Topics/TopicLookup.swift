import MQProtocol

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
        let deletions = table.deletions
        if deletions != self.deletions {
            topics.removeAll(keepingCapacity: true)
            self.deletions = deletions
        }
        for topic in topics where request.isFor(topic: topic.nameBytes) { return topic }
        guard let topic = table.find(request.topic) else { return nil }
        if topics.count < Self.limit {
            topics.append(topic)
        } else {
            topics[next] = topic
            next = (next + 1) % Self.limit
        }
        return topic
    }
}
