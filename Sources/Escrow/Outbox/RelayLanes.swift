import MQProtocol

/// Which rows of the outbox may leave now. Pure: the relay tells it what it read and what became of it.
///
/// Rows of one ordering key are a lane: the next leaves when the one before it was acknowledged. Lanes, and rows
/// without a key, go in parallel.
struct RelayLanes {
    /// Rows read ahead of the broker at most.
    static let capacity = 4096

    private struct Lane {
        var rows: [OutboxRow] = []
        var next = 0
        var isBusy = false
        var notBefore: Timestamp?
        var failures = 0
    }

    private enum LaneKey: Hashable {
        case ordered(String)
        case single(Int64)

        init(_ row: OutboxRow) {
            self = row.event.orderingKey.map(LaneKey.ordered) ?? .single(row.sequence)
        }
    }

    private var lanes: [LaneKey: Lane] = [:]
    /// Lanes whose first row may leave, in the order in which that became so.
    private var ready: [LaneKey] = []
    private var readyNext = 0
    private var waiting: Set<LaneKey> = []
    private(set) var count = 0
    /// The last row read.
    private(set) var cursor: Int64 = 0
    private(set) var inFlight = 0

    var room: Int { max(0, Self.capacity - count) }

    mutating func add(_ rows: [OutboxRow]) {
        for row in rows where row.sequence > cursor {
            cursor = row.sequence
            count += 1
            let key = LaneKey(row)
            var lane = lanes[key] ?? Lane()
            lane.rows.append(row)
            if !lane.isBusy, lane.notBefore == nil, lane.rows.count - lane.next == 1 { ready.append(key) }
            lanes[key] = lane
        }
    }

    /// Up to `limit` rows to be delivered now; each is in flight until ``delivered(_:)`` or ``failed(_:now:)``.
    mutating func take(limit: Int, now: Timestamp) -> [OutboxRow] {
        release(now: now)
        var taken: [OutboxRow] = []
        while taken.count < limit, readyNext < ready.count {
            let key = ready[readyNext]
            readyNext += 1
            guard var lane = lanes[key] else { continue }
            lane.isBusy = true
            taken.append(lane.rows[lane.next])
            lanes[key] = lane
        }
        if readyNext == ready.count {
            ready.removeAll(keepingCapacity: true)
            readyNext = 0
        }
        inFlight += taken.count
        return taken
    }

    mutating func delivered(_ row: OutboxRow) {
        guard let (key, found) = busyLane(of: row) else { return }
        var lane = found
        inFlight -= 1
        count -= 1
        lane.isBusy = false
        lane.failures = 0
        lane.next += 1
        guard lane.next < lane.rows.count else {
            lanes[key] = nil
            return
        }
        if lane.next > 64 {
            lane.rows.removeFirst(lane.next)
            lane.next = 0
        }
        lanes[key] = lane
        ready.append(key)
    }

    /// The row stays first of its lane and leaves again later: after 0.1 s, doubling up to 5 s.
    ///
    /// - Returns: how often it has failed in a row.
    @discardableResult
    mutating func failed(_ row: OutboxRow, now: Timestamp) -> Int {
        guard let (key, found) = busyLane(of: row) else { return 0 }
        var lane = found
        inFlight -= 1
        lane.isBusy = false
        lane.failures += 1
        lane.rows[lane.next] = row
        let pause = Duration.milliseconds(100 << min(lane.failures - 1, 6))
        lane.notBefore = now.advanced(by: min(pause, .seconds(5)))
        lanes[key] = lane
        waiting.insert(key)
        return lane.failures
    }

    /// The row goes again at once, changed: its half is gone.
    mutating func replace(_ row: OutboxRow) {
        guard let (key, found) = busyLane(of: row) else { return }
        var lane = found
        inFlight -= 1
        lane.isBusy = false
        lane.rows[lane.next] = row
        lanes[key] = lane
        ready.append(key)
    }

    /// When the next row that failed may leave again.
    var nextRetry: Timestamp? {
        waiting.compactMap { lanes[$0]?.notBefore }.min()
    }

    /// Forgets everything: another process relays now, or the rows are to be read again.
    mutating func removeAll() {
        self = RelayLanes()
    }

    /// Nil for a row of an earlier lease, which was forgotten while it was in flight.
    private func busyLane(of row: OutboxRow) -> (LaneKey, Lane)? {
        let key = LaneKey(row)
        guard let lane = lanes[key], lane.isBusy, lane.rows[lane.next].sequence == row.sequence else { return nil }
        return (key, lane)
    }

    private mutating func release(now: Timestamp) {
        for key in waiting {
            guard var lane = lanes[key], let time = lane.notBefore, time <= now else { continue }
            lane.notBefore = nil
            lanes[key] = lane
            waiting.remove(key)
            ready.append(key)
        }
    }
}
