package import MQProtocol

/// The pulls that wait for a message, by queue.
///
/// A pure state machine: parked pulls are values; the dispatcher's arrivals and the clock take them out again.
///
/// - Parameter Pull: what is needed to answer; the shell's business.
package struct LongPollTable<Pull: Sendable>: Sendable {
    package struct Parked: Sendable {
        package var pull: Pull
        /// The offset the pull wants: it is woken by a message at or behind it.
        package var offset: QueueOffset
        package var filter: TagFilter
        package var deadline: Timestamp

        package init(pull: Pull, offset: QueueOffset, filter: TagFilter, deadline: Timestamp) {
            self.pull = pull
            self.offset = offset
            self.filter = filter
            self.deadline = deadline
        }
    }

    private var queues: [Int: [Parked]] = [:]
    package private(set) var count = 0

    package init() {}

    package var isEmpty: Bool { count == 0 }

    package mutating func park(_ parked: Parked, onQueue index: Int) {
        queues[index, default: []].append(parked)
        count += 1
    }

    /// A message became readable at `offset` of the queue: the pulls it is for.
    ///
    /// A pull whose filter does not match stays until its deadline, as at a stock broker.
    package mutating func arrived(onQueue index: Int, offset: QueueOffset, tagsCode: Int64, into woken: inout [Pull]) {
        guard var parked = queues[index] else { return }
        let before = woken.count
        parked.removeAll { waiting in
            guard offset >= waiting.offset, waiting.filter.matches(tagsCode: tagsCode) else { return false }
            woken.append(waiting.pull)
            return true
        }
        count -= woken.count - before
        queues[index] = parked.isEmpty ? nil : parked
    }

    /// Takes out every pull of a queue, whatever it waits for: the queue may have moved under it.
    package mutating func wakeAll(onQueue index: Int) -> [Pull] {
        guard let parked = queues.removeValue(forKey: index) else { return [] }
        count -= parked.count
        return parked.map(\.pull)
    }

    /// The pulls whose time is over.
    package mutating func expire(now: Timestamp) -> [Pull] {
        take { $0.deadline <= now }
    }

    /// Takes out the pulls that match, for example those of a connection that closed.
    package mutating func take(where matches: (Parked) -> Bool) -> [Pull] {
        var taken: [Pull] = []
        for (index, parked) in queues {
            guard parked.contains(where: matches) else { continue }
            taken.append(contentsOf: parked.lazy.filter(matches).map(\.pull))
            let rest = parked.filter { !matches($0) }
            queues[index] = rest.isEmpty ? nil : rest
        }
        count -= taken.count
        return taken
    }
}
