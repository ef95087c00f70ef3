import Logging
import MQProtocol
public import ServiceLifecycle
import Synchronization

/// Consumes messages of a group: has its share of the group's queues, hands their messages to a handler, and tells the
/// brokers how far it is. Compatible with RocketMQ's push consumers: members in Swift and in Java share one group.
///
/// ```swift
/// var configuration = ConsumerConfiguration(group: "stock")
/// configuration.subscriptions = ["OrderPaid": "*"]
/// let consumer = try PushConsumer(client, configuration) { message in
///     try await stock.reserve(message.text)
/// }
/// try await ServiceGroup(services: [client, consumer], logger: logger).run()
/// ```
///
/// Every message is handed over at least once. A message is handed over again when its handler failed, when the
/// consumer or the broker ended before the offset behind it was stored (every 5 s, with pulls, and at the end), and
/// when its queue moved to another member meanwhile. In a group's offset only messages count that are finished, and
/// all before them: it never moves past one that is not.
///
/// - Important: ``MQClient/run()`` must be running too, because brokers know the group's members from its heartbeats.
public final class PushConsumer: Service {
    public typealias Handler = @Sendable ([ReceivedMessage], MessageQueue) async -> [ConsumeOutcome]

    enum Phase {
        case created, running, draining, ended
    }

    struct State {
        var phase = Phase.created
        var isSuspended = false
        var held: [MessageQueue: HeldQueue] = [:]
        /// Announced with heartbeats; grows when the share of queues changes.
        var subscriptionVersion: Timestamp
    }

    let client: MQClient
    let configuration: ConsumerConfiguration
    let handler: Handler
    let tags: [String: TagSelection]
    /// When this consumer was made; what pulls name as the version of its subscriptions.
    let created: Timestamp
    let state: Mutex<State>
    let tally = Mutex(ConsumerStatistics())
    let rates: Mutex<RateTable>
    /// Queues that have something to hand out.
    let ready = WorkList<HeldQueue>()
    /// Messages that a tool wants consumed now.
    let direct = WorkList<DirectConsumption>()
    let locks = Mutex(LockTable())
    let offsets = Mutex(OffsetTable())
    /// Broadcasting only.
    let offsetFile: OffsetFile?
    let wakeTimes = Mutex(WakeTimes<HeldQueue>())
    let wakeAlarm = Alarm()
    let rebalanceAlarm = Alarm()

    /// - Parameter handler: gets the messages of one queue in its order and answers with an outcome for each of them,
    ///   in the same order. Messages without an outcome are retried; in orderly mode they are suspended.
    /// - Throws: ``MQClientError/Code/invalidConfiguration``; for a broadcasting consumer whose offsets cannot be read,
    ///   ``MQClientError/Code/offsetFile``.
    public init(
        _ client: MQClient, _ configuration: ConsumerConfiguration, handler: @escaping Handler
    ) throws(MQClientError) {
        try configuration.validate()
        self.client = client
        self.configuration = configuration
        self.handler = handler
        let now = client.configuration.time.now()
        created = now
        tags = configuration.subscriptions.mapValues(TagSelection.init)
        state = Mutex(State(subscriptionVersion: now))
        rates = Mutex(RateTable(now: now))
        offsetFile =
            configuration.model == .broadcasting
            ? try OffsetFile(
                root: configuration.offsetDirectory, clientID: client.configuration.clientID,
                group: configuration.group) : nil
    }

    /// - Parameter onMessage: gets one message at a time, whatever the batch size. An error it throws is logged and
    ///   means `.retryLater()`, in orderly mode `.suspend` for ``ConsumerConfiguration/suspendTime``.
    public convenience init(
        _ client: MQClient, _ configuration: ConsumerConfiguration,
        onMessage: @escaping @Sendable (ReceivedMessage) async throws -> Void
    ) throws(MQClientError) {
        let logger = client.configuration.logger
        try self.init(client, configuration) { messages, queue in
            var outcomes: [ConsumeOutcome] = []
            for message in messages {
                do {
                    try await onMessage(message)
                    outcomes.append(.consumed)
                } catch {
                    logger.warning("Message \(message.messageID) of \(queue) failed: \(error)")
                    guard configuration.order == .concurrent else {
                        outcomes.append(.suspend(configuration.suspendTime))
                        break
                    }
                    outcomes.append(.retryLater())
                }
            }
            return outcomes
        }
    }

    public var statistics: ConsumerStatistics {
        var statistics = tally.withLock { $0 }
        for held in heldQueues() {
            let (count, bytes) = held.state.withLock { ($0.cachedCount, $0.cachedBytes) }
            statistics.cached += count
            statistics.cachedBytes += bytes
            statistics.queuesHeld += 1
        }
        return statistics
    }

    /// Stops pulling and keeps the share of queues as it is. What was pulled before is still handed over.
    public func suspend() {
        state.withLock { $0.isSuspended = true }
    }

    public func resume() {
        state.withLock { $0.isSuspended = false }
        for held in heldQueues() { held.pullable.give() }
        rebalanceAlarm.ring()
    }

    /// Unspecified order.
    func heldQueues() -> [HeldQueue] {
        state.withLock { Array($0.held.values) }
    }

    var time: TimeSource { client.configuration.time }

    var logger: Logger { client.configuration.logger }

    var isSuspended: Bool { state.withLock { $0.isSuspended } }

    var isRunning: Bool { state.withLock { $0.phase == .running } && !Task.isCancelled }
}
