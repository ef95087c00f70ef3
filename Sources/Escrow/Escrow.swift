public import GRDB
import Logging
import MQClient
import MQProtocol
public import ServiceLifecycle
import Synchronization

/// A service's database and its messages as one thing: what is written and what is published become real together, and
/// what arrives takes effect once.
///
/// ```swift
/// let escrow = try Escrow("orders", database: pool, configuration: .embedded())
/// try escrow.onDeadline("payment") { due, tx in
///     try tx.database.execute(sql: "UPDATE orders SET state = 'cancelled' WHERE id = ?", arguments: [due.key])
///     return .done
/// }
/// // … run() it in a service group, then:
/// let result = try await escrow.transaction(OrderPlaced(orderID: "17")) { tx in
///     try tx.database.execute(sql: "INSERT INTO orders (id, state) VALUES ('17', 'placed')")
///     try tx.arm(Deadline("payment", for: "17"), after: .seconds(1800))
/// }
/// ```
///
/// ## Topics
///
/// ### Publishing
/// - ``transaction(_:body:)``
/// - ``transaction(publishing:idempotencyKey:kind:_:)``
///
/// ### Handling
/// - ``on(_:as:retry:_:)``
/// - ``on(_:as:retry:before:onTime:onLate:)``
/// - ``onDeadline(_:retry:_:)``
///
/// ### Other databases
/// - ``checkTransactions(of:_:)``, ``prepare(_:kind:reference:)``, ``settle(_:_:)``
///
/// ### What went wrong
/// - ``deadLetters``
public final class Escrow: Service {
    /// The name of the service: part of its groups and of its deadline topic.
    public let name: String
    public let configuration: EscrowConfiguration
    let writer: Writer
    let store: EscrowDatabase
    let names: ServiceNames
    let relay: Relay
    let redriveAlarm = Alarm()
    let traces: Traces
    let registry: Mutex<Registry>
    let connection = Gate<Connection>()

    /// What a running service talks through.
    struct Connection: Sendable {
        var client: MQClient
        var producer: TransactionProducer
    }

    /// Makes Escrow's tables in the database, beside the user's own; nothing else happens before ``run()``.
    ///
    /// - Parameters:
    ///   - service: letters, digits, hyphens and underscores, the same in every process of the service.
    ///   - database: a `DatabasePool` on the file that holds the service's own tables, opened by one machine only.
    ///     When several processes open the file, give the pool a `busyMode` of `.timeout(5)`: GRDB's default fails at
    ///     once when another process writes. (Escrow's own writes wait 5 s in any case.)
    /// - Throws: ``EscrowError``.
    public init(
        _ service: String, database: any DatabaseWriter, configuration: EscrowConfiguration
    ) throws(EscrowError) {
        try Name.check(service, "service")
        if let namespace = configuration.namespace { try Name.check(namespace, "namespace") }
        name = service
        self.configuration = configuration
        store = try EscrowDatabase.open(database, time: configuration.time)
        names = ServiceNames(service: service, namespace: Namespace(configuration.namespace))
        registry = Mutex(Registry(names))
        traces = .of(configuration.tracer)
        writer = Writer(
            database, time: configuration.time, steps: configuration.steps,
            meters: Meters(service: service, factory: configuration.metrics))
        relay = Relay(writer: writer, lease: Lease.ofThisProcess(), logger: configuration.logger)
        let relay = relay
        writer.whenPublished { relay.add($0) }
    }

    /// The random identity of the database, 32 hexadecimal digits.
    public var databaseIdentity: String { store.identity }

    // MARK: Registering

    /// Handles events of a type. What the handler writes through its transaction takes effect once for each
    /// idempotency key, however often the message is delivered.
    ///
    /// - Parameters:
    ///   - consumer: who handles it, unique within the service. Several types may have one consumer: those of one topic
    ///     and ordering key then reach it in order. A renamed consumer is a new one, which has handled nothing yet.
    ///   - retry: what happens when the handler throws.
    ///   - handler: runs on the database writer's thread, perhaps more than once for one commit: nothing outside the
    ///     transaction.
    /// - Throws: ``EscrowError/Code/registeredTwice``, ``EscrowError/Code/registeredTooLate``,
    ///   ``EscrowError/Code/invalidName``.
    public func on<E: Event>(
        _ type: E.Type, as consumer: String, retry: RetryPolicy = .standard,
        _ handler: @escaping @Sendable (E, Transaction) throws -> Outcome
    ) throws(EscrowError) {
        let erased = EventHandler(
            tag: E.name, topic: namespace.topic(E.topic.name), policy: retry,
            prepare: { body in
                let event = try E.codec.decode(body)
                return PreparedEvent(
                    idempotencyKey: event.idempotencyKey.text, orderingKey: event.orderingKey.text,
                    run: { try handler(event, $0) })
            })
        try registry.withLock { registry throws(EscrowError) in try registry.add(erased, to: consumer) }
    }

    /// Handles an event that ends a deadline: `onTime` while the deadline has not fired, and cancels it; `onLate` when
    /// it has, as for a payment after the cancellation. Both in the transaction that decides which it is.
    public func on<E: Event>(
        _ type: E.Type, as consumer: String, retry: RetryPolicy = .standard,
        before deadline: @escaping @Sendable (E) -> Deadline,
        onTime: @escaping @Sendable (E, Transaction) throws -> Outcome,
        onLate: @escaping @Sendable (E, Transaction) throws -> Outcome
    ) throws(EscrowError) {
        try on(type, as: consumer, retry: retry) { event, tx in
            guard try tx.cancel(deadline(event)) == .alreadyFired else { return try onTime(event, tx) }
            let outcome = try onLate(event, tx)
            return outcome == .done ? .late : outcome
        }
    }

    /// Handles deadlines of a name when they have passed: once for each generation, never early, and not at all when a
    /// cancel committed first.
    public func onDeadline(
        _ name: String, retry: RetryPolicy = .standard,
        _ handler: @escaping @Sendable (DueDeadline, Transaction) throws -> Outcome
    ) throws(EscrowError) {
        let handler = DeadlineHandler(policy: retry, run: handler)
        try registry.withLock { registry throws(EscrowError) in try registry.add(handler, named: name) }
    }

    /// Answers check-backs of transactions whose rows are in another database than this one; see
    /// ``prepare(_:kind:reference:)``.
    public func checkTransactions(
        of kind: String, _ checker: @escaping TransactionChecker
    ) throws(EscrowError) {
        try registry.withLock { registry throws(EscrowError) in try registry.add(checker, for: kind) }
    }

    // MARK: Dead letters

    /// Messages that were given up on, and what can be done with them.
    public var deadLetters: DeadLetters { DeadLetters(writer: writer, alarm: redriveAlarm) }

    var namespace: Namespace { names.namespace }

    func serviceContext() -> ServiceContext {
        ServiceContext(
            names: names, identity: store.identity,
            deadlineNames: registry.withLock { $0.deadlineNames }, traces: traces)
    }
}
