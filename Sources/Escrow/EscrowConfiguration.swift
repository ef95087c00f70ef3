public import CoreMetrics
public import Logging
public import MQClient
public import MQProtocol
public import Tracing

/// Where a service finds its broker, and how it behaves. The same handlers run on both kinds of broker.
public struct EscrowConfiguration: Sendable {
    public enum Broker: Sendable {
        /// A name server and a broker inside this process, for development and small deployments. The path of their
        /// directory, which one process has at a time; nil for one beside the database, `FILE-broker`. It belongs to
        /// the database: messages that nobody has handled yet are nowhere else.
        case embedded(directory: String?)
        /// Escrow's or Apache RocketMQ's brokers.
        case cluster(NameServerAddresses)
    }

    public var broker: Broker

    /// Keeps topics and groups of several stores on one broker apart: every name begins with it and `%`. Default: none.
    public var namespace: String?

    /// How often overdue deadlines are looked for whose ring is missing. Default: 1 s.
    public var sweepInterval: Duration = .seconds(1)

    /// How long after its due time a deadline's ring counts as missing. Default: 3 s.
    public var sweepGrace: Duration = .seconds(3)

    /// How long a fence is kept after its messages were acknowledged, and a stored result with it: a check-back that
    /// comes later is answered unknown and listed. Default: 7 days.
    public var fenceRetention: Duration = .seconds(7 * 86_400)

    /// How long a deadline that has fired is remembered: an event that comes later is taken for one on time.
    /// Default: 400 days.
    public var deadlineRetention: Duration = .seconds(400 * 86_400)

    /// How long an inbox remembers what it has handled. Nil: 7 days, or what the slowest consumer's retries and the
    /// broker's retention need, if that is more. A shorter one is refused at start.
    public var inboxRetention: Duration?

    /// How long the broker keeps messages, after which it cannot deliver one again. Default: 72 h, RocketMQ's own.
    public var brokerRetention: Duration = .seconds(72 * 3600)

    /// How long dead letters are kept after they were redriven or discarded. Open ones are kept for ever.
    /// Default: 30 days.
    public var deadLetterRetention: Duration = .seconds(30 * 86_400)

    /// Messages of a queue handed to the writer together at most. Default: 64, one group of it.
    public var batchSize = 64

    /// How long a shutdown may wait for running handlers, and then for the outbox to empty; a broker that takes
    /// nothing for 2 s is not waited for. Default: 10 s.
    public var drainTimeout: Duration = .seconds(10)

    /// Default: the system's clock.
    public var time = TimeSource.system

    /// Default: a logger labelled `Escrow`.
    public var logger = Logger(label: "Escrow")

    /// Where counters and timers go, each with the dimension `service`. Counters: `escrow_published`, `escrow_relayed`,
    /// `escrow_handled`, `escrow_duplicates`, `escrow_retries`, `escrow_dead_letters`, `escrow_deadlines`,
    /// `escrow_stale_rings`, `escrow_check_backs`, `escrow_fenced`, `escrow_resent`, `escrow_in_doubt`. Timers, in
    /// nanoseconds: `escrow_deadline_lateness`, from a deadline's time to the transaction in which it fires, and
    /// `escrow_group`, one SQLite transaction of the writer. Default: the backend of the process.
    public var metrics: any MetricsFactory = MetricsSystem.factory

    /// Who follows what happens from service to service: its headers travel as properties of the messages, and it gets
    /// a span for each transaction and for each run of a handler. Nil: the tracer that the process has when the service
    /// is made. Default: nil.
    public var tracer: (any Tracer)?

    /// For tests: sees each step after which a crash could hurt.
    package var steps = StepObserver.none

    /// For tests: verdicts that are withheld, so that a check-back settles them. Given the idempotency key.
    package var withholdsVerdict: @Sendable (String) -> Bool = { _ in false }

    /// For tests: events that are sent a second time, as a message of their own. Given the idempotency key.
    package var repeatsEvent: @Sendable (String) -> Bool = { _ in false }

    /// For tests: deliveries that are handled a second time after they were. Given the idempotency key.
    package var doublesDelivery: @Sendable (String) -> Bool = { _ in false }

    /// For tests: called after a handler has run, before its commit; what it throws makes the run fail. Given the
    /// consumer and the idempotency key, for a deadline `deadline:` with its name and its key.
    package var afterHandler: @Sendable (_ consumer: String, _ key: String) throws -> Void = { _, _ in }

    public init(_ broker: Broker) {
        self.broker = broker
    }

    public static func embedded(_ directory: String? = nil) -> EscrowConfiguration {
        EscrowConfiguration(.embedded(directory: directory))
    }

    public static func cluster(nameServers: NameServerAddresses) -> EscrowConfiguration {
        EscrowConfiguration(.cluster(nameServers))
    }
}
