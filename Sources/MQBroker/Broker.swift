package import Logging
package import MQProtocol
package import MQRemoting
package import MQStore
import NIOCore
package import NIOPosix
import Synchronization

/// One broker: its store, its tables and its services, shared by the event loops that serve it.
///
/// `Broker.open` recovers the store and loads every table; ``BrokerService`` opens sockets and runs the loops.
package final class Broker: Sendable {
    package let settings: BrokerSettings
    package let store: MessageStore
    package let topics: TopicTable
    package let groups: GroupTable
    package let offsets: OffsetTable
    package let clients: ClientTable
    package let locks: QueueLockTable
    package let statistics: BrokerStatistics
    package let transactions: TransactionService
    package let delays: DelayService
    let unconsumed: UnconsumedMessages
    package let heldPulls = HeldPulls()
    package let time: TimeSource
    package let logger: Logger
    /// What goes into message ids and registrations.
    package var advertisedHost: HostAddress {
        HostAddress(ip: advertisedIP, port: advertisedPort.load(ordering: .relaxed))
    }
    private let advertisedIP: HostAddress.IP
    private let advertisedPort: Atomic<Int32>
    /// Threads for requests that may wait for a disk: cold reads, queries.
    package let readThreads: NIOThreadPool
    /// Threads for what is due whatever clients ask: deliveries, checks.
    package let serviceThreads: NIOThreadPool
    package let delayLevels: DelayLevels
    package let pullLimits: PullLimits
    package let flushesSynchronously: Bool
    package let bootTime: Timestamp
    /// Queues whose arrivals concern the delay service, by queue index.
    private let isDelayQueue: [Bool]
    private let loops = Mutex<[LoopEntry]>([])
    let events: StoreEvents

    init(_ parts: BrokerParts) {
        settings = parts.settings
        store = parts.store
        topics = parts.topics
        groups = parts.groups
        offsets = parts.offsets
        clients = parts.clients
        locks = parts.locks
        statistics = parts.statistics
        transactions = parts.transactions
        delays = parts.delays
        unconsumed = UnconsumedMessages(
            store: parts.store, topics: parts.topics, offsets: parts.offsets, logger: parts.logger)
        time = parts.time
        logger = parts.logger
        advertisedIP = parts.advertisedHost.ip
        advertisedPort = Atomic(parts.advertisedHost.port)
        readThreads = parts.readThreads
        serviceThreads = parts.serviceThreads
        delayLevels = parts.delayLevels
        events = parts.events
        let configuration = parts.settings.configuration
        pullLimits = PullLimits(configuration.storage)
        flushesSynchronously = configuration.storage.synchronousFlush
        bootTime = parts.time.now()
        let delayQueues = parts.delays.queues
        var flags = [Bool](repeating: false, count: (delayQueues.map(\.index).max() ?? -1) + 1)
        for queue in delayQueues { flags[queue.index] = true }
        isDelayQueue = flags
    }

    /// The port that is really listened on, when the configuration leaves the choice to the system.
    func listens(on port: Int32) { advertisedPort.store(port, ordering: .relaxed) }

    // MARK: Event loops

    /// A loop as other threads see it.
    private struct LoopEntry: Sendable {
        let bound: NIOLoopBound<BrokerLoop>
        let flushSignal: FlushSignal
        var eventLoop: any EventLoop { bound.eventLoop }

        init(_ loop: BrokerLoop) {
            bound = NIOLoopBound(loop, eventLoop: loop.eventLoop)
            flushSignal = loop.flushSignal
        }
    }

    func register(_ loop: BrokerLoop) {
        loops.withLock { $0.append(LoopEntry(loop)) }
    }

    /// After the last request. The loops hold the broker, and would keep it and its open files for ever.
    func forgetLoops() {
        loops.withLock { $0 = [] }
    }

    private func loop(of eventLoop: any EventLoop) -> NIOLoopBound<BrokerLoop>? {
        loops.withLock { loops in loops.first { $0.eventLoop === eventLoop }?.bound }
    }

    package func connectionClosed(_ connection: ConnectionHandle) {
        heldPulls.drop(connection)
        clients.connectionClosed(connection)
    }

    // MARK: What the store reports

    /// On the store's flusher thread.
    func flushed(upTo offset: LogOffset) {
        guard flushesSynchronously else { return }
        for loop in loops.withLock({ $0 }) where loop.flushSignal.take() {
            loop.eventLoop.execute { loop.bound.value.answerFlushed() }
        }
    }

    func flushFailed(_ error: StoreError) {
        logger.critical(
            "the log could not be flushed: nothing is acknowledged until it is",
            metadata: [
                "error": "\(error)"
            ])
    }

    /// On the store's dispatcher thread.
    func dispatched(_ arrivals: [Arrival]) {
        for arrival in arrivals where arrival.queue.index < isDelayQueue.count && isDelayQueue[arrival.queue.index] {
            delays.arrived(arrival)
        }
        resume(heldPulls.arrived(arrivals))
    }

    /// Before segments are deleted: what is still needed of them is copied to the end of the log. On a store's thread.
    func willDelete(upTo offset: LogOffset) -> LogOffset {
        let allowed = min(transactions.copyForward(below: offset), delays.copyForward(below: offset))
        // Before the originals are gone. Where the log cannot be flushed nothing is deleted.
        delays.noteCopies()
        return allowed
    }

    func retains(upTo offset: LogOffset) -> LogOffset {
        settings.configuration.storage.retainsUnconsumed ? unconsumed.consumed(upTo: offset) : offset
    }

    // MARK: Held pulls

    package func resume(_ held: HeldPull) {
        resume([held])
    }

    /// Lets pulls look again, with one hop per event loop.
    package func resume(_ held: [HeldPull]) {
        var byLoop: [ObjectIdentifier: [HeldPull]] = [:]
        for pull in held { byLoop[ObjectIdentifier(pull.connection.eventLoop), default: []].append(pull) }
        for pulls in byLoop.values {
            let eventLoop = pulls[0].connection.eventLoop
            guard let loop = loop(of: eventLoop) else { continue }
            eventLoop.execute {
                for pull in pulls { pull.connection.onLoop { loop.value.resume(pull, $0) } }
            }
        }
    }

    /// Ends the wait of held pulls whose time is over, until cancelled.
    package func expireHeldPulls() async {
        while !Task.isCancelled {
            guard (try? await time.sleep(for: .milliseconds(200))) != nil else { return }
            resume(heldPulls.expire(now: time.now()))
        }
    }
}
