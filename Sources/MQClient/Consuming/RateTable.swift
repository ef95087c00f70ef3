import DequeModule
import MQProtocol

/// How fast a consumer pulls and handles, by topic, over the last minute.
///
/// Pure: sampled every ``sampleInterval``.
struct RateTable {
    static let sampleInterval = Duration.seconds(10)
    private static let window = Duration.seconds(60)
    private static let longWindow = Duration.seconds(3600)

    struct Rates: Sendable, Hashable {
        var pulledPerSecond = 0.0
        /// Milliseconds.
        var pullTime = 0.0
        var consumedPerSecond = 0.0
        var failedPerSecond = 0.0
        /// Of one call of the handler, in milliseconds.
        var handlingTime = 0.0
        /// Failed messages in the last hour.
        var failedMessages: Int64 = 0
    }

    private struct Totals {
        var pulls = 0
        var pulledMessages = 0
        var pullTime = Duration.zero
        var calls = 0
        var consumed = 0
        var failed = 0
        var handlingTime = Duration.zero
    }

    private struct Topic {
        var totals = Totals()
        var samples: Deque<(time: Timestamp, totals: Totals)>
    }

    private let start: Timestamp
    private var topics: [String: Topic] = [:]

    init(now: Timestamp) {
        start = now
    }

    mutating func pulled(_ topic: String, messages: Int, after time: Duration) {
        update(topic) { totals in
            totals.pulls += 1
            totals.pulledMessages += messages
            totals.pullTime += time
        }
    }

    mutating func handled(_ topic: String, consumed: Int, failed: Int, after time: Duration) {
        update(topic) { totals in
            totals.calls += 1
            totals.consumed += consumed
            totals.failed += failed
            totals.handlingTime += time
        }
    }

    mutating func sample(now: Timestamp) {
        for (name, topic) in topics {
            var samples = topic.samples
            samples.append((now, topic.totals))
            while let first = samples.first, first.time.duration(to: now) > Self.longWindow { samples.removeFirst() }
            topics[name]?.samples = samples
        }
    }

    /// By topic, since the sample that is a minute old or the oldest one.
    func rates(now: Timestamp) -> [String: Rates] {
        topics.mapValues { topic in
            let recent = topic.samples.first { $0.time.duration(to: now) <= Self.window } ?? (start, Totals())
            let oldest = topic.samples.first { $0.time.duration(to: now) <= Self.longWindow } ?? (start, Totals())
            var rates = Self.rates(from: recent.totals, to: topic.totals, over: recent.time.duration(to: now))
            rates.failedMessages = Int64(topic.totals.failed - oldest.totals.failed)
            return rates
        }
    }

    private mutating func update(_ topic: String, _ change: (inout Totals) -> Void) {
        change(&topics[topic, default: Topic(samples: [(start, Totals())])].totals)
    }

    private static func rates(from old: Totals, to new: Totals, over time: Duration) -> Rates {
        let seconds = max(Double(time.wholeMilliseconds) / 1000, 0.001)
        return Rates(
            pulledPerSecond: Double(new.pulledMessages - old.pulledMessages) / seconds,
            pullTime: mean(new.pullTime - old.pullTime, new.pulls - old.pulls),
            consumedPerSecond: Double(new.consumed - old.consumed) / seconds,
            failedPerSecond: Double(new.failed - old.failed) / seconds,
            handlingTime: mean(new.handlingTime - old.handlingTime, new.calls - old.calls))
    }

    private static func mean(_ total: Duration, _ count: Int) -> Double {
        count > 0 ? Double(total.wholeMilliseconds) / Double(count) : 0
    }
}
