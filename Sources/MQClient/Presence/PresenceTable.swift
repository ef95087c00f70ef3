/// The groups that this client announces, and those it has to withdraw. Pure.
struct PresenceTable {
    /// What UNREGISTER_CLIENT takes back.
    struct Withdrawal: Hashable, Sendable {
        enum Role: Hashable, Sendable { case producer, consumer }

        var role: Role
        var group: String
    }

    private(set) var producers: [String: ProducerPresence] = [:]
    private(set) var consumers: [String: ConsumerPresence] = [:]
    /// Announced before, not any more, and the brokers are not told yet.
    private var withdrawn: Set<Withdrawal> = []

    /// - Returns: false when the client has the group already; nothing is changed then.
    mutating func add(_ producer: ProducerPresence) -> Bool {
        guard producers[producer.group] == nil else { return false }
        producers[producer.group] = producer
        withdrawn.remove(Withdrawal(role: .producer, group: producer.group))
        return true
    }

    /// - Returns: false when the client has the group already; nothing is changed then.
    mutating func add(_ consumer: ConsumerPresence) -> Bool {
        guard consumers[consumer.group] == nil else { return false }
        consumers[consumer.group] = consumer
        withdrawn.remove(Withdrawal(role: .consumer, group: consumer.group))
        return true
    }

    mutating func removeProducer(_ group: String) {
        guard producers.removeValue(forKey: group) != nil else { return }
        withdrawn.insert(Withdrawal(role: .producer, group: group))
    }

    mutating func removeConsumer(_ group: String) {
        guard consumers.removeValue(forKey: group) != nil else { return }
        withdrawn.insert(Withdrawal(role: .consumer, group: group))
    }

    /// What the brokers are to be told now, once.
    mutating func takeWithdrawn() -> Set<Withdrawal> {
        defer { withdrawn = [] }
        return withdrawn
    }

    /// True when check-backs can come from brokers that nothing was sent to since this process started.
    var answersChecks: Bool { producers.values.contains { $0.onCheck != nil } }
}
