import MQProtocol

/// A topic and the group that consumes it: a key of the offset table.
struct TopicGroup: Hashable, Sendable {
    var topic: String
    var group: String

    /// As in `consumerOffset.json`.
    var key: String { "\(topic)@\(group)" }

    init(topic: String, group: String) {
        self.topic = topic
        self.group = group
    }

    /// `nil` unless the text is `topic@group`. Neither part can contain the sign.
    init?(key: String) {
        let parts = key.split(separator: "@", omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty else { return nil }
        self.init(topic: String(parts[0]), group: String(parts[1]))
    }
}

/// How far each group has consumed each queue.
///
/// Pure. An offset is the next one to consume; a commit overwrites, also with a smaller one.
struct ConsumerOffsets: Sendable, Equatable {
    private(set) var table: [TopicGroup: [Int32: Int64]] = [:]

    /// Offsets of all queues together.
    private(set) var count = 0

    /// The most that are kept; a commit beyond is dropped. Names and ids come from the wire and are not checked against
    /// topics and groups, as in RocketMQ, so this is what bounds the table.
    static let maximumKeys = 500_000
    static let maximumQueuesPerKey = 65_536
    private let maximumCount: Int

    init(table: [TopicGroup: [Int32: Int64]] = [:], maximumCount: Int = 2_000_000) {
        self.table = table
        self.maximumCount = maximumCount
        count = Self.count(table)
    }

    private static func count(_ table: [TopicGroup: [Int32: Int64]]) -> Int {
        table.values.reduce(0) { $0 + $1.count }
    }

    /// Whether a commit for the queue would be kept.
    func hasRoom(for pair: TopicGroup, queueID: Int32) -> Bool {
        guard let known = table[pair] else { return table.count < Self.maximumKeys && count < maximumCount }
        return known[queueID] != nil || known.count < Self.maximumQueuesPerKey && count < maximumCount
    }

    /// - Returns: whether anything changed.
    mutating func commit(_ pair: TopicGroup, queueID: Int32, offset: Int64) -> Bool {
        if let present = table[pair]?[queueID] {
            guard present != offset else { return false }
        } else {
            guard hasRoom(for: pair, queueID: queueID) else { return false }
            count += 1
        }
        table[pair, default: [:]][queueID] = offset
        return true
    }

    func offset(_ pair: TopicGroup, queueID: Int32) -> Int64? {
        table[pair]?[queueID]
    }

    func offsets(_ pair: TopicGroup) -> [Int32: Int64] {
        table[pair] ?? [:]
    }

    func topics(of group: String) -> [String] {
        table.keys.filter { $0.group == group }.map(\.topic)
    }

    /// The topics of every group, found in one pass.
    func topicsByGroup() -> [String: [String]] {
        var topics: [String: [String]] = [:]
        for pair in table.keys { topics[pair.group, default: []].append(pair.topic) }
        return topics
    }

    func groups(of topic: String) -> [String] {
        table.keys.filter { $0.topic == topic }.map(\.group)
    }

    /// - Returns: whether anything changed.
    mutating func remove(group: String) -> Bool {
        remove { $0.group == group }
    }

    /// - Returns: whether anything changed.
    mutating func remove(topic: String) -> Bool {
        remove { $0.topic == topic }
    }

    private mutating func remove(where isGone: (TopicGroup) -> Bool) -> Bool {
        let keys = table.count
        table = table.filter { !isGone($0.key) }
        count = Self.count(table)
        return table.count != keys
    }

    /// Takes back offsets that are ahead of their queue: a consumer may have been given messages that a power loss took
    /// before they were acknowledged to their producer, and would never see those that get their places. A queue that
    /// is not there begins at 0 when it comes. The broker's own groups count other things.
    ///
    /// - Parameter end: the offset that the queue's next message gets.
    /// - Returns: whether anything changed.
    mutating func limit(to end: (_ topic: String, _ queueID: Int32) -> Int64) -> Bool {
        var isChanged = false
        for (pair, offsets) in table where !GroupName.isSystem(pair.group) {
            for (queueID, offset) in offsets {
                let limit = end(pair.topic, queueID)
                guard offset > limit else { continue }
                table[pair]?[queueID] = limit
                isChanged = true
            }
        }
        return isChanged
    }

    /// Gives `destination` the offsets of `source` on the topic, in place of its own.
    ///
    /// - Returns: whether anything changed.
    mutating func clone(from source: String, to destination: String, topic: String) -> Bool {
        guard let offsets = table[TopicGroup(topic: topic, group: source)] else { return false }
        let target = TopicGroup(topic: topic, group: destination)
        let sum = count + offsets.count - (table[target]?.count ?? 0)
        guard sum <= maximumCount, table[target] != nil || table.count < Self.maximumKeys else { return false }
        table[target] = offsets
        count = sum
        return true
    }
}
