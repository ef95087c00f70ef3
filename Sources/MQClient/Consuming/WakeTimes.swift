import MQProtocol

/// Who is to be woken when. Entries of equal times keep their order.
struct WakeTimes<Sleeper> {
    private var entries: [(time: Timestamp, sleeper: Sleeper)] = []

    /// The earliest time.
    var next: Timestamp? { entries.first?.time }

    mutating func add(_ sleeper: Sleeper, at time: Timestamp) {
        let place = entries.firstIndex { $0.time > time } ?? entries.endIndex
        entries.insert((time, sleeper), at: place)
    }

    mutating func takeDue(now: Timestamp) -> [Sleeper] {
        let firstLater = entries.firstIndex { $0.time > now } ?? entries.endIndex
        let due = entries[..<firstLater].map(\.sleeper)
        entries.removeSubrange(..<firstLater)
        return due
    }
}
