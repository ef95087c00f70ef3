import MQProtocol
import MQStore

/// What the whole broker stored and served: the numbers behind the rates of request 28.
struct StoreTotals: Sendable, Equatable {
    /// Messages stored.
    var stored = 0
    var storedBytes = 0
    /// Sends that the store refused.
    var failed = 0
    /// Pulls that found messages, and pulls that found none.
    var found = 0
    var missed = 0
    /// Messages handed to consumers.
    var transferred = 0
}

/// Ten minutes of ``StoreTotals``, one each 10 s.
struct StoreHistory: Sendable {
    private struct Moment {
        var time: Timestamp
        var totals: StoreTotals
    }

    private static let limit = 61
    private var moments: [Moment] = []

    mutating func add(_ totals: StoreTotals, at time: Timestamp) {
        moments.append(Moment(time: time, totals: totals))
        if moments.count > Self.limit { moments.removeFirst() }
    }

    /// Per second over the last 10, 60 and 600 s, as RocketMQ prints them. A window without enough samples is empty
    /// between its separators: tools take a text without any for a number.
    func rates(_ value: (StoreTotals) -> Int) -> String {
        [1, 6, 60].map { rate(steps: $0, value).map { "\($0)" } ?? "" }.joined(separator: " ")
    }

    private func rate(steps: Int, _ value: (StoreTotals) -> Int) -> Double? {
        guard moments.count > steps, let last = moments.last else { return nil }
        let first = moments[moments.count - 1 - steps]
        let milliseconds = first.time.duration(to: last.time).wholeMilliseconds
        guard milliseconds > 0 else { return nil }
        return Double(value(last.totals) - value(first.totals)) * 1000 / Double(milliseconds)
    }
}

/// Totals at the last two local midnights, for "today" and "yesterday".
struct DailyTotals: Sendable {
    private(set) var yesterdayMorning = StoreTotals()
    private(set) var todayMorning = StoreTotals()
    private var day: Int64?

    mutating func observe(_ totals: StoreTotals, at time: Timestamp) {
        let today = LocalTime.day(of: time)
        defer { day = today }
        guard let day, today != day else { return }
        yesterdayMorning = todayMorning
        todayMorning = totals
    }
}

/// How long appends took.
struct AppendTimes: Sendable {
    /// Upper bounds in milliseconds with RocketMQ's labels.
    private static let classes: [(milliseconds: Int64, label: String)] = [
        (0, "<=0ms"), (10, "0~10ms"), (50, "10~50ms"), (100, "50~100ms"), (200, "100~200ms"), (500, "200~500ms"),
        (1000, "500ms~1s"), (2000, "1~2s"), (3000, "2~3s"), (4000, "3~4s"), (5000, "4~5s"), (10_000, "5~10s"),
        (.max, "10s~"),
    ]

    private var counts = [Int](repeating: 0, count: Self.classes.count)
    /// Messages by the power of two of the microseconds their append took.
    private var fine = [Int](repeating: 0, count: 64)
    private(set) var longest = Duration.zero

    mutating func add(_ elapsed: Duration, messages: Int) {
        longest = max(longest, elapsed)
        let milliseconds = elapsed.wholeMilliseconds
        let index = Self.classes.firstIndex { milliseconds <= $0.milliseconds } ?? Self.classes.count - 1
        counts[index] &+= messages
        let microseconds = max(0, milliseconds * 1000 + elapsed.components.attoseconds / 1_000_000_000_000 % 1000)
        fine[64 - microseconds.leadingZeroBitCount] &+= messages
    }

    /// As in the value of `putMessageDistributeTime`, with the blank at its end.
    var distribution: String {
        zip(Self.classes, counts).map { "[\($0.label)]:\($1) " }.joined()
    }

    /// Milliseconds below which `share` of the messages were appended, at most twice too high.
    func milliseconds(share: Double) -> Double {
        let total = fine.reduce(0, +)
        guard total > 0 else { return 0 }
        let wanted = Int((Double(total) * share).rounded(.up))
        var seen = 0
        for (power, count) in fine.enumerated() {
            seen += count
            if seen >= wanted { return Double(UInt64(1) << UInt64(min(power, 62))) / 1000 }
        }
        return 0
    }
}
