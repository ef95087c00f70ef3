import MQProtocol

/// Finds the queue of a record by the topic's bytes, without building a string. Owned by the dispatcher.
struct QueueLookup: Sendable {
    private var slots = [Int32](repeating: -1, count: 64)
    private var known: [ConsumeQueue] = []
    private var last: ConsumeQueue?

    /// - Parameter table: asked, and extended, only for a queue that was never looked up before.
    mutating func queue(topic: Span<UInt8>, queueID: Int32, in table: QueueTable) -> ConsumeQueue {
        if let found = find(topic, queueID) { return found }
        let queue = table.queue(Self.text(topic), queueID)
        add(queue)
        last = queue
        return queue
    }

    /// Whether the queue was looked up before. To look it up once more right after costs one comparison.
    mutating func knows(topic: Span<UInt8>, queueID: Int32) -> Bool { find(topic, queueID) != nil }

    private mutating func find(_ topic: Span<UInt8>, _ queueID: Int32) -> ConsumeQueue? {
        if let last, last.ref.queueID == queueID, Self.matches(last, topic) { return last }
        var slot = Self.slot(topic, queueID, slots.count)
        while slots[slot] >= 0 {
            let queue = known[Int(slots[slot])]
            if queue.ref.queueID == queueID, Self.matches(queue, topic) {
                last = queue
                return queue
            }
            slot = (slot + 1) & (slots.count - 1)
        }
        return nil
    }

    private mutating func add(_ queue: ConsumeQueue) {
        known.append(queue)
        if known.count * 2 <= slots.count {
            enter(known.count - 1)
        } else {
            slots = [Int32](repeating: -1, count: slots.count * 2)
            for number in known.indices { enter(number) }
        }
    }

    /// Puts the number of a known queue into the slot where it is looked for.
    private mutating func enter(_ number: Int) {
        let queue = known[number]
        let topic = queue.topicBytes
        var slot = Self.slot(topic.span, queue.ref.queueID, slots.count)
        while slots[slot] >= 0 { slot = (slot + 1) & (slots.count - 1) }
        slots[slot] = Int32(number)
    }

    private static func slot(_ topic: Span<UInt8>, _ queueID: Int32, _ count: Int) -> Int {
        var hash = UInt64(UInt32(bitPattern: queueID)) &* 0x9E37_79B9_7F4A_7C15
        var index = 0
        while index < topic.count {
            hash = (hash ^ topic.word(at: index)) &* 0x9E37_79B9_7F4A_7C15
            hash ^= hash >> 32
            index += 8
        }
        return Int(truncatingIfNeeded: hash >> 20) & (count - 1)
    }

    private static func matches(_ queue: ConsumeQueue, _ topic: Span<UInt8>) -> Bool {
        let name = queue.topicBytes
        guard name.count == topic.count else { return false }
        return topic.starts(with: name.span, at: 0)
    }

    static func text(_ topic: Span<UInt8>) -> String {
        var bytes: [UInt8] = []
        for index in topic.indices { bytes.append(topic[index]) }
        return String(decoding: bytes, as: UTF8.self)
    }
}
