public import GRDB
public import MQProtocol

/// The one commit of a body or handler: what is written through it becomes real together.
///
/// It is valid while the body runs, on the database writer's thread. The body does not wait for anything else than the
/// database: every other body and delivery of this database waits for it. It may run more than once before it commits
/// once, so whatever it does outside the database may happen more than once.
public struct Transaction {
    /// The user's own database, inside the transaction.
    public let database: Database

    /// The time of the transaction by the service's clock.
    public let now: Timestamp

    let context: GroupContext
    let service: ServiceContext
    /// The fence of the transaction; nil in a handler.
    let fence: TransactionID?

    /// Publishes an event when the transaction commits: it is written to the outbox now and relayed afterwards, after
    /// everything that was published before under the same ordering key.
    ///
    /// - Throws: ``EscrowError/Code/invalidEvent``.
    public func publish(_ event: some Event) throws {
        let outgoing = try OutgoingEvent(event, in: service.namespace, trace: service.traces.headers)
        try context.publish(database, outgoing, fence: fence)
    }

    /// Starts a timeout, or starts it anew when it is armed, was fired or was cancelled.
    ///
    /// - Throws: ``EscrowError/Code/deadlineUnknown`` when this service has no handler for deadlines of that name;
    ///   ``EscrowError/Code/invalidEvent`` for a key that cannot travel in a message.
    public func arm(_ deadline: Deadline, after delay: Duration) throws {
        try arm(deadline, at: now.advanced(by: delay))
    }

    /// Starts a timeout that ends at a time of the service's clock.
    ///
    /// - Throws: as ``arm(_:after:)``.
    public func arm(_ deadline: Deadline, at due: Timestamp) throws {
        try service.require(deadline)
        let generation = try DeadlineTable.arm(database, deadline, due: due, context)
        try ring(deadline, generation, due)
    }

    /// Moves the end of a timeout that is still armed.
    ///
    /// - Returns: false when it is not armed: it was fired or cancelled, or never armed.
    /// - Throws: as ``arm(_:after:)``.
    @discardableResult
    public func extend(_ deadline: Deadline, by delay: Duration) throws -> Bool {
        try service.require(deadline)
        guard let (generation, due) = try DeadlineTable.extend(database, deadline, by: delay, context) else {
            return false
        }
        try ring(deadline, generation, due)
        return true
    }

    /// Ends a timeout before it fires. A cancel that commits before the firing wins, however late it is.
    ///
    /// - Throws: as ``arm(_:after:)``.
    @discardableResult
    public func cancel(_ deadline: Deadline) throws -> DeadlineCancellation {
        try service.require(deadline)
        return try DeadlineTable.cancel(database, deadline, context)
    }

    private func ring(_ deadline: Deadline, _ generation: Int64, _ due: Timestamp) throws {
        let ring = DeadlineRing(deadline, generation: generation, database: service.identity)
        let outgoing = try ring.outgoing(due: due, topic: service.deadlineTopic, trace: service.traces.headers)
        try context.publish(database, outgoing, fence: fence)
    }
}

/// What the transactions of a service need to know of it.
struct ServiceContext: Sendable {
    var names: ServiceNames
    var identity: String
    var deadlineNames: Set<String>
    var traces = Traces.off

    var namespace: Namespace { names.namespace }
    var deadlineTopic: String { names.deadlineTopic }

    func require(_ deadline: Deadline) throws(EscrowError) {
        guard deadlineNames.contains(deadline.name) else {
            throw EscrowError(
                .deadlineUnknown,
                "Nothing handles deadlines named \"\(deadline.name)\": register onDeadline(\"\(deadline.name)\") "
                    + "before run().")
        }
        guard IdempotencyKey(deadline.key).isValid else {
            throw EscrowError(
                .invalidEvent,
                "The key \"\(deadline.key.prefix(300))\" of a deadline named \"\(deadline.name)\" needs 1 to "
                    + "\(IdempotencyKey.maximumBytes) bytes and no control characters.")
        }
    }
}
