import DequeModule
import MQProtocol

/// Which rows of the outbox may leave now. Pure: the relay tells it what it read and what became of it.
///
/// Rows of one ordering key are a lane: the next leaves when the one before it was acknowledged. Lanes, and rows
/// without a key, go in parallel.
///
/// What cannot leave holds up nobody else. A lane that fails keeps its first row alone: the reader passes over the
/// others and comes back for them when the lane goes again. A topic with many such lanes is passed over as a whole, and
/// with it what other topics have of the same keys. Lanes that may fail take part of the places in flight.
struct RelayLanes {
    /// Rows of lanes that go, read ahead of the broker at most.
    static let capacity = 4096
    /// Rows on their way to a broker at most.
    static let inFlightLimit = 256
    /// Of these, rows that failed before or whose topic has lanes that fail: they may take long to fail again.
    static let doubtfulLimit = 192
    /// Failing lanes of a topic, one row each, beyond which nothing more of it is read; it is read again from half as
    /// many on.
    static let failingLimit = 4096

    /// A part of the outbox to be read; ``endReading(_:_:)`` takes the rows.
    struct Reading: Sendable, Equatable {
        var after: Int64
        var limit: Int
        fileprivate var term: Int
    }

    /// A topic that is passed over.
    private struct Held {
        /// The first row that was.
        var first = Int64.max
        /// Hashes of the ordering keys of rows that were: what follows of these keys waits for them. Some 16 bytes for
        /// each key, while its rows on the disk are many times that. Two keys that share a hash wait for each other.
        var keys: Set<Int> = []
    }

    private var lanes: [RelayLane.Key: RelayLane] = [:]
    /// Lanes whose first row may leave, in the order in which that became so.
    private var ready: Deque<RelayLane.Key> = []
    private var doubtful: Deque<RelayLane.Key> = []
    private var waiting: Set<RelayLane.Key> = []
    /// When the next lane that failed may try again.
    private(set) var nextRetry: Timestamp?
    /// Failing lanes by topic.
    private var failing: [String: Int] = [:]
    /// Topics that are passed over.
    private var held: [String: Held] = [:]
    /// Lanes that go again and have rows that were passed over.
    private var returning: Set<RelayLane.Key> = []

    /// Rows that left and may still stand in the table.
    private var settled: Set<Int64> = []
    private var settledWhileReading: [Int64] = []
    private var isReading = false
    /// Grows whenever everything is forgotten: a reading of before has nothing to say.
    private var term = 0

    /// Rows of lanes that go.
    private(set) var count = 0
    /// The last row read.
    private(set) var cursor: Int64 = 0
    private(set) var inFlight = 0
    private var doubtfulInFlight = 0

    var room: Int { max(0, Self.capacity - count) }

    /// Something was passed over and can be read now.
    var wantsReading: Bool { room > 0 && (!returning.isEmpty || held.keys.contains(where: isOver)) }

    /// Something could leave if there were a place in flight.
    var hasReady: Bool { !ready.isEmpty || !doubtful.isEmpty }

    /// Forgets everything: another process relays now, or the rows are to be read again.
    mutating func removeAll() {
        let next = term + 1
        self = RelayLanes()
        term = next
    }

    // MARK: Reading

    /// Nil while another reading is under way, or when there is so little room that what is there goes first.
    mutating func beginReading() -> Reading? {
        guard !isReading, room > 0, !hasReady || room >= Self.capacity / 4 else { return nil }
        goBack()
        isReading = true
        return Reading(after: cursor, limit: room, term: term)
    }

    /// - Parameter rows: in order; none when they could not be read.
    mutating func endReading(_ reading: Reading, _ rows: [OutboxRow]) {
        guard reading.term == term else { return }
        for row in rows where row.sequence > cursor {
            cursor = row.sequence
            add(row)
        }
        isReading = false
        settled.subtract(settledWhileReading)
        settledWhileReading.removeAll(keepingCapacity: true)
    }

    /// Rows that were just written, in order and without gaps.
    ///
    /// - Returns: false when something else may stand before them, or there is no room: they are to be read.
    mutating func offer(_ rows: [OutboxRow]) -> Bool {
        guard !isReading, rows.count <= room, rows.first?.sequence == cursor + 1 else { return false }
        for row in rows {
            cursor = row.sequence
            add(row)
        }
        return true
    }

    /// Rows that were delivered have been taken out of the table.
    mutating func removed(_ sequences: some Sequence<Int64>) {
        // What is being read may have been there before.
        if isReading { settledWhileReading += sequences } else { settled.subtract(sequences) }
    }

    private mutating func add(_ row: OutboxRow) {
        guard !settled.contains(row.sequence) else { return }
        let key = RelayLane.Key(row)
        if lanes[key]?.holds(row.sequence) ?? false { return }
        if !held.isEmpty, isPassedOver(row) { return }
        guard lanes[key, default: RelayLane()].add(row) else { return }
        count += 1
        if lanes[key]?.count == 1 { enqueue(key) }
    }

    /// Of a topic that is passed over, or of a key of which something was.
    private mutating func isPassedOver(_ row: OutboxRow) -> Bool {
        let key = row.event.orderingKey?.hashValue
        var topic: String?
        if held[row.event.topic] != nil {
            topic = row.event.topic
        } else if let key {
            topic = held.first { $0.value.keys.contains(key) }?.key
        }
        guard let topic, let first = held[topic]?.first else { return false }
        held[topic]?.first = min(first, row.sequence)
        if let key { held[topic]?.keys.insert(key) }
        return true
    }

    /// Back to the first row that was passed over and need not be any more.
    private mutating func goBack() {
        var first = Int64.max
        for topic in held.keys where isOver(topic) {
            first = min(first, held.removeValue(forKey: topic)?.first ?? first)
        }
        for key in returning {
            guard let skipped = lanes[key]?.skippedFrom else { continue }
            first = min(first, skipped)
            lanes[key]?.readAgain()
            if lanes[key]?.isEmpty ?? false { lanes[key] = nil }
        }
        returning.removeAll()
        cursor = min(cursor, first - 1)
    }

    private func isOver(_ topic: String) -> Bool {
        failing[topic, default: 0] <= Self.failingLimit / 2
    }

    // MARK: Delivering

    /// Up to `limit` rows to be delivered now, and no more than there are places; each is in flight until
    /// ``delivered(_:)``, ``failed(_:now:)`` or ``replace(_:)``.
    mutating func take(limit: Int = .max, now: Timestamp) -> [OutboxRow] {
        release(now: now)
        let places = min(limit, Self.inFlightLimit - inFlight)
        var taken: [OutboxRow] = []
        while taken.count < places, doubtfulInFlight < Self.doubtfulLimit, let key = doubtful.popFirst() {
            guard let row = lanes[key]?.leave(isDoubtful: true) else { continue }
            doubtfulInFlight += 1
            taken.append(row)
        }
        while taken.count < places, let key = ready.popFirst() {
            if isDoubtful(key) {
                doubtful.append(key)
            } else if let row = lanes[key]?.leave(isDoubtful: false) {
                taken.append(row)
            }
        }
        inFlight += taken.count
        return taken
    }

    mutating func delivered(_ row: OutboxRow) {
        guard let key = landed(row) else { return }
        settled.insert(row.sequence)
        if lanes[key]?.isFailing ?? false { countFailing(row.event.topic, -1) } else { count -= 1 }
        let wasFailing = lanes[key]?.isFailing ?? false
        lanes[key]?.arrived()
        // The reader has passed over what follows.
        if wasFailing, lanes[key]?.skippedFrom != nil { returning.insert(key) }
        if lanes[key]?.head != nil {
            enqueue(key)
        } else if lanes[key]?.isEmpty ?? false {
            lanes[key] = nil
        }
    }

    /// The row stays first of its lane and leaves again later: after 0.1 s, doubling up to 5 s.
    ///
    /// - Returns: how often it has failed in a row.
    @discardableResult
    mutating func failed(_ row: OutboxRow, now: Timestamp) -> Int {
        guard let key = landed(row), let wasFailing = lanes[key]?.isFailing else { return 0 }
        count -= lanes[key]?.failed(row, now: now) ?? 0
        if !wasFailing {
            count -= 1
            countFailing(row.event.topic, 1)
        }
        waiting.insert(key)
        if let time = lanes[key]?.notBefore { nextRetry = min(nextRetry ?? time, time) }
        return lanes[key]?.failures ?? 0
    }

    /// The row goes again at once, changed: its half is gone.
    mutating func replace(_ row: OutboxRow) {
        guard let key = landed(row) else { return }
        lanes[key]?.replaced(by: row)
        enqueue(key)
    }

    /// The lane of a row that was in flight. Nil for one of an earlier lease, which was forgotten in flight.
    private mutating func landed(_ row: OutboxRow) -> RelayLane.Key? {
        let key = RelayLane.Key(row)
        guard let lane = lanes[key], lane.isBusy, lane.head?.sequence == row.sequence else { return nil }
        inFlight -= 1
        if lane.isDoubtful { doubtfulInFlight -= 1 }
        return key
    }

    private mutating func enqueue(_ key: RelayLane.Key) {
        if isDoubtful(key) { doubtful.append(key) } else { ready.append(key) }
    }

    private func isDoubtful(_ key: RelayLane.Key) -> Bool {
        guard !failing.isEmpty, let lane = lanes[key], let head = lane.head else { return false }
        return lane.isFailing || failing[head.event.topic] != nil
    }

    private mutating func countFailing(_ topic: String, _ change: Int) {
        let now = failing[topic, default: 0] + change
        failing[topic] = now == 0 ? nil : now
        if now >= Self.failingLimit, held[topic] == nil { held[topic] = Held() }
    }

    private mutating func release(now: Timestamp) {
        guard let first = nextRetry, first <= now else { return }
        nextRetry = nil
        for key in waiting {
            guard let time = lanes[key]?.notBefore else { continue }
            if time > now {
                nextRetry = min(nextRetry ?? time, time)
                continue
            }
            lanes[key]?.waited()
            waiting.remove(key)
            enqueue(key)
        }
    }
}
