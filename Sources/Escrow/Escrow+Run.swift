import Logging
import MQClient
import MQEmbedded
import MQProtocol
import ServiceLifecycle
import Synchronization

extension Escrow {
    /// Connects, settles what an earlier run left open, and handles what arrives, until the service group shuts down
    /// gracefully or the task is cancelled.
    ///
    /// A graceful shutdown lets running handlers finish and the outbox empty, each for
    /// ``EscrowConfiguration/drainTimeout`` at most. Whatever is cut off goes on at the next start.
    ///
    /// It runs once.
    ///
    /// - Throws: ``EscrowError/Code/runTwice``, ``EscrowError/Code/invalidConfiguration``,
    ///   ``EscrowError/Code/foreignMember``, an error of the embedded broker, or one of the database.
    public func run() async throws {
        let registry = try registry.withLock { registry throws(EscrowError) in
            try registry.close()
            return registry
        }
        let retention = try inboxRetention(registry)
        switch configuration.broker {
        case .cluster(let nameServers):
            try await run(registry, retention, nameServers: nameServers)
        case .embedded(let directory):
            var embedded = EmbeddedBrokerConfiguration()
            embedded.directory = directory ?? store.brokerDirectory
            embedded.time = configuration.time
            embedded.logger = configuration.logger
            let broker = try await EmbeddedBroker.start(embedded)
            do {
                try await run(registry, retention, nameServers: try NameServerAddresses(broker.nameServers))
            } catch {
                await broker.stop()
                throw error
            }
            await broker.stop()
        }
    }

    private func run(
        _ registry: Registry, _ retention: Duration, nameServers: NameServerAddresses
    ) async throws {
        let client = MQClient(clientConfiguration(nameServers))
        defer { connection.shut() }
        do {
            try await run(Parts(self, registry, retention, client))
            await client.shutdown()
        } catch {
            await client.shutdown()
            throw error
        }
    }

    private func run(_ parts: Parts) async throws {
        let relay = relay
        let drainTimeout = configuration.drainTimeout
        try await withThrowingTaskGroup { tasks in
            // Lives until the outbox is empty, so it does not hear of a graceful shutdown.
            let relaying = Task.detached { await relay.run(through: { await parts.courier.deliver($0) }) }
            connection.open(Connection(client: parts.client, producer: parts.producer))
            tasks.addTask { try await parts.client.run() }
            tasks.addTask { try await parts.producer.run() }
            for consumer in parts.consumers { tasks.addTask { try await consumer.run() } }
            tasks.addTask { await cancelWhenGracefulShutdown { await parts.sweeper.run() } }
            tasks.addTask { await cancelWhenGracefulShutdown { await parts.redriver.run() } }
            tasks.addTask { await cancelWhenGracefulShutdown { await parts.housekeeping.run() } }
            let result: Result<Void, any Error>
            do {
                // The first that fails ends the others.
                while try await tasks.next() != nil {}
                await relay.drain(atMost: drainTimeout)
                result = .success(())
            } catch {
                tasks.cancelAll()
                result = .failure(error)
            }
            relaying.cancel()
            await relaying.value
            try result.get()
        }
    }

    private func clientConfiguration(_ nameServers: NameServerAddresses) -> MQClientConfiguration {
        var client = MQClientConfiguration(nameServers: nameServers)
        client.clientID = "\(store.identity)@\(client.clientID)"
        client.producerGroup = names.outboxGroup
        client.logger = configuration.logger
        client.time = configuration.time
        return client
    }

    private func inboxRetention(_ registry: Registry) throws(EscrowError) -> Duration {
        let slowest = registry.consumers
            .flatMap { consumer, handlers in handlers.values.map { (consumer: consumer, horizon: $0.policy.horizon) } }
            .max { $0.horizon < $1.horizon }
        return try InboxRetention.compute(
            wanted: configuration.inboxRetention, brokerRetention: configuration.brokerRetention, slowest: slowest)
    }
}

/// What runs in a running service.
private struct Parts: Sendable {
    let client: MQClient
    let producer: TransactionProducer
    let courier: Courier
    let consumers: [PushConsumer]
    let sweeper: Sweeper
    let redriver: Redriver
    let housekeeping: Housekeeping

    init(_ escrow: Escrow, _ registry: Registry, _ retention: Duration, _ client: MQClient) throws {
        let configuration = escrow.configuration
        let writer = escrow.writer
        let logger = configuration.logger
        let service = escrow.serviceContext()
        self.client = client
        let relay = escrow.relay
        let checks = CheckBacks(
            writer: writer, identity: escrow.store.identity, checkers: registry.checkers,
            fenceRetention: configuration.fenceRetention, logger: logger, moved: { relay.moved($0) },
            isDelivered: { try await client.isDelivered($0) })
        producer = try TransactionProducer(
            client, group: escrow.names.transactionGroup, check: { await checks.verdict($0) })
        courier = Courier(
            client: client, producer: producer, identity: escrow.store.identity, time: configuration.time,
            withholds: configuration.withholdsVerdict, repeats: configuration.repeatsEvent, logger: logger)
        var eventConsumers: [String: EventConsumer] = [:]
        for (name, handlers) in registry.consumers {
            eventConsumers[name] = EventConsumer(
                name: name, handlers: handlers,
                pieces: DeliveryPieces(
                    service: service, consumer: name, afterHandler: configuration.afterHandler),
                writer: writer, logger: logger)
        }
        let firing = Firing(
            service: service, handlers: registry.deadlines, afterHandler: configuration.afterHandler, writer: writer,
            logger: logger)
        let admission = Admission(identity: escrow.store.identity)
        var consumers: [PushConsumer] = []
        for (name, consumer) in eventConsumers.sorted(by: { $0.key < $1.key }) {
            let group = escrow.names.group(of: name)
            let settings = Self.consumer(group, consumer.subscriptions, admission, retention, configuration)
            let doubles = configuration.doublesDelivery
            consumers.append(
                try PushConsumer(client, settings) { messages, _ in
                    let outcomes = await consumer.handle(messages)
                    await consumer.handleAgain(messages, outcomes, where: doubles)
                    return outcomes
                })
        }
        if !registry.deadlines.isEmpty {
            // In order, though rings have none: those that wait for a commit gather, and fire together in the next.
            let settings = Self.consumer(
                escrow.names.deadlineGroup, [service.deadlineTopic: DeadlineRing.tag], admission, retention,
                configuration)
            consumers.append(try PushConsumer(client, settings) { messages, _ in await firing.handle(messages) })
        }
        self.consumers = consumers
        sweeper = Sweeper(
            firing: firing, writer: writer, interval: configuration.sweepInterval, grace: configuration.sweepGrace,
            logger: logger)
        redriver = Redriver(
            consumers: eventConsumers, firing: firing, writer: writer, logger: logger, alarm: escrow.redriveAlarm)
        housekeeping = Housekeeping(
            writer: writer, inboxRetention: retention, fenceRetention: configuration.fenceRetention,
            deadlineRetention: configuration.deadlineRetention, deadLetterRetention: configuration.deadLetterRetention,
            logger: logger)
    }

    private static func consumer(
        _ group: String, _ subscriptions: [String: String], _ admission: Admission, _ retention: Duration,
        _ configuration: EscrowConfiguration
    ) -> ConsumerConfiguration {
        var settings = ConsumerConfiguration(group: group)
        settings.subscriptions = subscriptions
        settings.order = .orderly
        // A new consumer handles what is there: an event published before it first ran is not lost.
        settings.start = .firstOffset
        settings.batchSize = configuration.batchSize
        // The retry policy decides; the broker's own limit would move messages to its dead letters unseen.
        settings.maximumReconsumeTimes = .max
        settings.drainTimeout = configuration.drainTimeout
        // A dead letter of the service's own, with its reason.
        settings.handsOverUnreadable = true
        // The inbox absorbs what comes again, as far back as it remembers.
        settings.lostEndHorizon = InboxRetention.lostEndHorizon(retention)
        settings.admitsMembers = { try admission.check($0) }
        return settings
    }
}

/// One service is one database: refuses to share out queues with a process that has another.
struct Admission: Sendable {
    let identity: String

    func check(_ members: [String]) throws(EscrowError) {
        guard let foreign = members.first(where: { !$0.hasPrefix("\(identity)@") }) else { return }
        throw EscrowError(
            .foreignMember,
            "\(foreign) has joined this service's groups with another database than \(identity): messages would take "
                + "effect in either. Stop it, give it the same file, or another service name or namespace.")
    }
}
