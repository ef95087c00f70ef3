import MQProtocol

/// Compares what a group was given with what its queues have. Pure.
struct GroupCheck {
    var group: ConsumerGroup
    var history: History
    var contents: Contents
    var expectations: Expectations
    /// Where the first copy of each message is.
    var found: [Int64: Place]

    /// A group's offset moves past a message only when the group was given it.
    ///
    /// - Parameters:
    ///   - offsets: where the group goes on, as the broker says.
    ///   - deliveries: as they were after that.
    func offsetViolations(_ offsets: [QueueName: Int64], _ deliveries: Deliveries) -> [Violation] {
        var violations: [Violation] = []
        for (queue, offset) in offsets.sorted(by: { $0.key < $1.key }) {
            for message in contents[queue]?.messages ?? [] where message.place.offset < offset {
                guard let number = Payload.number(in: message.body), deliveries.records[number] == nil else { continue }
                let text = "\(group.rawValue) goes on at \(queue)@\(offset), and was never given \(message.place)"
                violations.append(Violation(.consumerOffset, text))
                break
            }
        }
        return violations
    }

    /// What the group was given was safe: it may not go.
    ///
    /// - Parameter deliveries: as they were before the contents were read.
    func vanished(_ deliveries: Deliveries) -> [Violation] {
        deliveries.records.filter { number, record in
            guard found[number] == nil, let place = record.place else { return false }
            return !mayBeGone(number, record, from: place)
        }.sorted { $0.key < $1.key }.map { number, record in
            let place = record.place.map { "\($0)" } ?? ""
            return Violation(.lost, "\(group.rawValue) was given message \(number) at \(place), and it is gone")
        }
    }

    private func mayBeGone(_ number: Int64, _ record: Deliveries.Record, from place: Place) -> Bool {
        let minimum = contents[place.queue]?.minimum ?? 0
        if place.offset < expectations.mayBegin(place.queue, beginningAt: minimum) { return true }
        switch history.entry(number)?.state {
        case .lostInWindow, .damaged: return true
        default: break
        }
        // Delayed and transactional messages have no place of their own in the history. They were pulled before.
        return expectations.lossWindows.contains { window in
            window.lowerBound <= record.last && record.first <= window.upperBound + Self.pulledWindow
        }
    }

    /// How long a member takes to handle what it has pulled, in milliseconds.
    private static let pulledWindow: Int64 = 5000

    /// A broker that retains what is not consumed deletes only what the group was given.
    ///
    /// - Parameters:
    ///   - deliveries: as they are now.
    ///   - known: the queues on which the broker had an offset of the group before anything was deleted.
    func deletedViolations(_ deliveries: Deliveries, known: Set<QueueName>) -> [Violation] {
        history.entries.enumerated().compactMap { index, entry in
            guard case .acknowledged = entry.state, let place = entry.place, known.contains(place.queue),
                place.offset < contents[place.queue]?.minimum ?? 0, deliveries.records[Int64(index)] == nil
            else { return nil }
            return Violation(.lost, "message \(index) at \(place) was deleted before \(group.rawValue) was given it")
        }
    }

    // MARK: When everything was given time

    /// - Parameters:
    ///   - deliveries: as they were after the contents were read.
    ///   - dead: the messages in the group's dead letters, each as often as it is there.
    func settledViolations(_ deliveries: Deliveries, dead: [Int64]) -> [Violation] {
        let visible = found.filter { group.topics.contains($0.value.queue.topic) }
        return unhandled(visible, deliveries, dead: Set(dead))
            + deadLetterViolations(dead, deliveries) + effectViolations(visible, deliveries)
    }

    private func unhandled(
        _ visible: [Int64: Place], _ deliveries: Deliveries, dead: Set<Int64>
    ) -> [Violation] {
        visible.sorted { $0.key < $1.key }.compactMap { number, place in
            let record = deliveries.records[number]
            if Payload.fate(number) == .failsAlways {
                guard !dead.contains(number), !mayLoseRetry(record) else { return nil }
                let text = "message \(number) at \(place) fails always, and is no dead letter of \(group.rawValue)"
                return Violation(.delivery, text)
            }
            guard !deliveries.ledger.applied.contains(number), !mayLoseRetry(record) else { return nil }
            let told = record == nil ? "was never given" : "was given, failed, and was not given again"
            return Violation(.delivery, "message \(number) at \(place) \(told) to \(group.rawValue)")
        }
    }

    /// Whether a copy in the retry topic, or a dead letter, could expire or be lost in a window.
    private func mayLoseRetry(_ record: Deliveries.Record?) -> Bool {
        guard let record, record.result != nil else { return false }
        return expectations.couldExpire(since: record.first)
            || expectations.lossWindows.contains { $0.upperBound >= record.first }
    }

    /// A broker's end, or a queue that changes hands, may bring copies in the retry topic once more, and each then has
    /// an end of its own. Once asynchronous flush has lost something, groups go back to before it; and what is sent
    /// back by its place in the log may be what has taken that place.
    private func deadLetterViolations(_ dead: [Int64], _ deliveries: Deliveries) -> [Violation] {
        guard expectations.lossWindows.isEmpty else { return [] }
        return Dictionary(grouping: dead) { $0 }.sorted { $0.key < $1.key }.compactMap { number, copies in
            guard Payload.fate(number) == .failsAlways, let record = deliveries.records[number] else {
                return Violation(.delivery, "message \(number) is a dead letter of \(group.rawValue) for nothing")
            }
            guard copies.count > 1, record.first > deliveries.disturbedUntil, !record.isRepeated else { return nil }
            return Violation(.delivery, "message \(number) is \(copies.count) dead letters of \(group.rawValue)")
        }
    }

    /// The stock is what it is when each message that is there counts once, and each that was handled and went.
    private func effectViolations(_ visible: [Int64: Place], _ deliveries: Deliveries) -> [Violation] {
        let owed = visible.keys.filter { number in
            Payload.fate(number) != .failsAlways && !mayLoseRetry(deliveries.records[number])
        }
        let handled = deliveries.records.filter { $0.value.result == .handled }.keys
        guard Ledger.stock(after: Set(owed).union(handled)) != deliveries.ledger.stock else { return [] }
        return [Violation(.effect, "the stock of \(group.rawValue) is not what its messages make of it")]
    }
}
