package import MQProtocol
import Synchronization

/// The broker's counters and their rates (broker.md 18).
///
/// Counting costs one uncontended lock per event-loop turn or pull; rates come from samples taken every 10 s.
package final class BrokerStatistics: Sendable {
    private struct State {
        var totals = StoreTotals()
        var times = AppendTimes()
        var longestRead = Duration.zero
        var history = StoreHistory()
        var days = DailyTotals()
        /// Messages stored and handed out by the broker, as counters of request 315.
        var put = SampledTotal()
        var get = SampledTotal()
    }

    /// What request 28 shows.
    struct Snapshot: Sendable {
        var totals: StoreTotals
        var times: AppendTimes
        var longestRead: Duration
        var history: StoreHistory
        var days: DailyTotals
    }

    /// The most pairs of group and topic that have counters of their own; the rest share one that is not shown.
    private static let maximumPairs = 100_000

    package let started: Timestamp
    private let time: TimeSource
    private let topics: TopicTable
    private let state = Mutex(State())
    private let pairs = Mutex([TopicGroup: ConsumptionStatistics]())
    private let overflow = ConsumptionStatistics()

    package init(topics: TopicTable, time: TimeSource) {
        self.topics = topics
        self.time = time
        self.started = time.now()
    }

    /// Counts one append: the messages and bytes of one event-loop turn, and how long the append took.
    package func stored(messages: Int, bytes: Int, elapsed: Duration) {
        state.withLock { state in
            state.totals.stored &+= messages
            state.totals.storedBytes &+= bytes
            state.times.add(elapsed, messages: messages)
            state.put.add(messages, calls: messages)
        }
    }

    /// Counts a send that the store refused.
    package func storeFailed() {
        state.withLock { $0.totals.failed &+= 1 }
    }

    /// Counts one pull that found messages.
    package func pullFound(messages: Int, elapsed: Duration) {
        state.withLock { state in
            state.totals.found &+= 1
            state.totals.transferred &+= messages
            state.longestRead = max(state.longestRead, elapsed)
            state.get.add(messages)
        }
    }

    /// Counts one pull that found nothing.
    package func pullMissed(elapsed: Duration) {
        state.withLock { state in
            state.totals.missed &+= 1
            state.longestRead = max(state.longestRead, elapsed)
        }
    }

    /// The counters of one group on one topic, created on first use. Keep the object where the pair stays the same.
    package func consumption(topic: String, group: String) -> ConsumptionStatistics {
        pairs.withLock { pairs in
            let pair = TopicGroup(topic: topic, group: group)
            if let known = pairs[pair] { return known }
            guard pairs.count < Self.maximumPairs else { return overflow }
            let created = ConsumptionStatistics()
            pairs[pair] = created
            return created
        }
    }

    /// The counters of the pair if it was ever counted.
    func existingConsumption(topic: String, group: String) -> ConsumptionStatistics? {
        pairs.withLock { $0[TopicGroup(topic: topic, group: group)] }
    }

    /// Forgets a deleted topic's pairs.
    func remove(topic: String) {
        pairs.withLock { $0 = $0.filter { $0.key.topic != topic } }
    }

    /// Forgets a deleted group's pairs.
    func remove(group: String) {
        pairs.withLock { $0 = $0.filter { $0.key.group != group } }
    }

    var snapshot: Snapshot {
        state.withLock { state in
            Snapshot(
                totals: state.totals, times: state.times, longestRead: state.longestRead,
                history: state.history, days: state.days
            )
        }
    }

    var putWindows: SampleWindows { state.withLock { $0.put.windows } }
    var getWindows: SampleWindows { state.withLock { $0.get.windows } }

    /// Takes one sample of every counter.
    package func sample() {
        let now = time.now()
        state.withLock { state in
            state.history.add(state.totals, at: now)
            state.days.observe(state.totals, at: now)
            state.put.sample(now)
            state.get.sample(now)
        }
        for topic in topics.all() { topic.statistics.sample(now) }
        for pair in pairs.withLock({ Array($0.values) }) { pair.sample(now) }
    }

    /// Samples every 10 s until the task is cancelled.
    package func run() async {
        sample()
        while (try? await time.sleep(for: SampleWindows.interval)) != nil {
            sample()
        }
    }
}
