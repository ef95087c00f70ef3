import MQProtocol

/// What a service is called at the brokers.
///
/// A consumer's group is `SERVICE|CONSUMER`: no name has that bar, so that no two consumers have the same group. The
/// service's own are `SERVICE-deadlines`, `SERVICE-transactions` and `SERVICE-outbox`; half messages bear the second,
/// so it stays what it is.
struct ServiceNames: Sendable {
    let service: String
    let namespace: Namespace

    private enum Own: String, CaseIterable {
        case deadlines, transactions, outbox
    }

    var deadlineGroup: String { group(.deadlines) }
    var transactionGroup: String { group(.transactions) }
    var outboxGroup: String { group(.outbox) }
    var deadlineTopic: String { namespace.topic("\(service)-deadlines") }

    func group(of consumer: String) -> String { namespace.group("\(service)|\(consumer)") }

    private func group(_ own: Own) -> String { namespace.group("\(service)-\(own.rawValue)") }

    // MARK: Checks

    /// - Throws: ``EscrowError/Code/invalidName``.
    func check(consumer: String) throws(EscrowError) {
        try Name.check(consumer, "consumer")
        guard Own(rawValue: consumer) == nil else {
            throw EscrowError(
                .invalidName, "The consumer's name \"\(consumer)\" belongs to Escrow: choose another name.")
        }
        try Self.check(group: group(of: consumer), of: "the consumer \"\(consumer)\"")
    }

    /// - Throws: ``EscrowError/Code/invalidName``.
    func checkDeadlines() throws(EscrowError) {
        try Self.check(group: deadlineGroup, of: "deadlines")
        try Self.check(topic: deadlineTopic, of: "deadlines")
    }

    /// - Throws: ``EscrowError/Code/invalidName``.
    static func check(topic: String, of what: String) throws(EscrowError) {
        guard let remark = TopicName.remark(refusing: topic) else { return }
        throw EscrowError(.invalidName, "The topic \"\(topic)\" of \(what) is not possible: \(remark)")
    }

    private static func check(group: String, of what: String) throws(EscrowError) {
        let length = group.utf8.count
        guard length > GroupName.maximumConsumerLength else { return }
        throw EscrowError(
            .invalidName,
            "The group \"\(group)\" of \(what) has \(length) characters, more than \(GroupName.maximumConsumerLength): "
                + "shorten the namespace, the service's name or the consumer's.")
    }
}
