import MQProtocol

/// Looks for the messages whose delays are longer than their life, when the broker's clock has passed their ends. Pure.
struct LongDelayCheck {
    private struct Owed {
        var number: Int64
        var delay: Delay
        /// By the recorder's clock.
        var acknowledged: Int64
    }

    private let expectations: Expectations
    /// Where queues ended before: what is due comes behind that.
    private let ends: [QueueName: Int64]
    private let owed: [Owed]

    /// - Parameter before: what the queues had before the clock passed.
    init(history: History, expectations: Expectations, before: Contents) {
        self.expectations = expectations
        ends = before.mapValues(\.maximum)
        owed = history.entries.enumerated().compactMap { index, entry -> Owed? in
            guard case .delayed(let delay) = entry.kind, delay.isLong, case .acknowledged(let time) = entry.state else {
                return nil
            }
            return Owed(number: Int64(index), delay: delay, acknowledged: time)
        }
    }

    var isEmpty: Bool { owed.isEmpty }

    func violations(_ contents: Contents) -> [Violation] {
        let copies = Dictionary(grouping: contents.values.flatMap(\.messages)) { Payload.number(in: $0.body) ?? -1 }
        // Everything is old enough to be deleted by now.
        let mayBeDeleted = contents.contains { name, queue in queue.minimum > ends[name] ?? 0 }
        return owed.compactMap { violation(of: $0, copies[$0.number] ?? [], mayBeDeleted: mayBeDeleted) }
    }

    private func violation(of owed: Owed, _ copies: [FoundMessage], mayBeDeleted: Bool) -> Violation? {
        let (number, due) = (owed.number, owed.delay.due)
        guard !copies.isEmpty else {
            if mayBeDeleted || expectations.mayBeLost(acknowledgedAt: owed.acknowledged) { return nil }
            return Violation(.delay, "message \(number) is due at \(due), which is past, and is not there")
        }
        for copy in copies where copy.storedAt < due && !expectations.mayBeEarly(owed.delay, storedAt: copy.storedAt) {
            return Violation(.delay, "\(copy.place): message \(number) is due at \(due), there since \(copy.storedAt)")
        }
        // Retention stores what waits again, and a crash may bring both.
        guard copies.count > 1, !expectations.couldExpire(since: owed.acknowledged) else { return nil }
        return Violation(.duplicate, "message \(number) is there \(copies.count) times: \(copies.map(\.place))")
    }
}
