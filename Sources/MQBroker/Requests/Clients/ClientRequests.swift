import MQProtocol
import MQRemoting
import NIOCore

/// What clients say about themselves (broker.md 8).
enum ClientRequests {
    /// 34. A consumer's retry topic exists from its first heartbeat on: clients look for it in the route.
    static func heartbeat(_ context: RequestContext) throws(RequestError) -> Outcome {
        let data = try context.body(HeartbeatData.decode)
        let broker = context.broker
        var isNew = false
        for consumer in data.consumers {
            guard let group = broker.groups.findOrCreate(consumer.groupName), group.retryQueueNums > 0 else { continue }
            let topic = TopicName.retry(group: group.groupName)
            isNew = isNew || broker.topics.find(topic) == nil
            broker.topics.ensure(
                topic, queues: group.retryQueueNums,
                systemFlag: consumer.unitMode ? AutomaticTopic.unitSubscriptionFlag : 0
            )
        }
        let changed = broker.clients.heartbeat(
            producers: data.producerGroups,
            consumers: data.consumers.map(registration),
            from: ClientTable.Registry.Member(
                clientID: data.clientID, connection: context.connection.handle, language: context.frame.language,
                version: context.frame.version, lastSeen: context.now
            )
        )
        guard !data.consumers.isEmpty else { return .reply(Reply(header: BrokerAnnouncement())) }
        return announced(context, changed, pause: isNew ? newTopicPause : .zero)
    }

    /// RocketMQ's client looks a new retry topic up in the rebalance that the news of its group causes, and takes its
    /// queues in the one that the answer causes; when both come at the same moment it rebalances once.
    static let newTopicPause = TimeAmount.milliseconds(20)

    /// A client asks the name servers for its retry topic when it is told to rebalance and right after the answer, and
    /// not again for up to half a minute, in which nothing that it sent back reaches it: they hear of every new topic
    /// before either, whichever member of the group brought it, unless they take longer than the client's patience
    /// allows.
    private static func announced(
        _ context: RequestContext, _ changed: [String], pause: TimeAmount
    ) -> Outcome {
        let eventLoop = context.connection.eventLoop
        let clients = context.broker.clients
        let patience = eventLoop.makePromise(of: Void.self)
        let limit = eventLoop.scheduleTask(in: .seconds(2)) { patience.succeed() }
        context.broker.topics.announced(on: eventLoop).whenComplete { _ in
            limit.cancel()
            patience.succeed()
        }
        return .later(
            patience.futureResult.flatMap {
                clients.changed(changed)
                guard pause > .zero else { return eventLoop.makeSucceededVoidFuture() }
                return eventLoop.scheduleTask(in: pause) {}.futureResult
            }.map { Reply(header: BrokerAnnouncement()) })
    }

    private static func registration(_ consumer: ConsumerData) -> ConsumerRegistration {
        ConsumerRegistration(
            group: consumer.groupName,
            attributes: ConsumerAttributes(
                consumeType: consumer.consumeType, messageModel: consumer.messageModel,
                consumeFromWhere: consumer.consumeFromWhere
            ),
            subscriptions: consumer.subscriptions.map(ActiveSubscription.init)
        )
    }

    /// 35
    static func unregister(_ context: RequestContext) throws(RequestError) -> Outcome {
        _ = try context.text("clientID")
        context.broker.clients.unregister(
            producerGroup: context.optionalText("producerGroup"), consumerGroup: context.optionalText("consumerGroup"),
            from: context.connection.handle
        )
        return .success
    }

    /// 38
    static func consumerList(_ context: RequestContext) throws(RequestError) -> Outcome {
        let group = try context.text("consumerGroup")
        guard let view = context.broker.clients.consumerGroup(group) else {
            throw RequestError(.systemError, "no consumer for this group, \(group)")
        }
        return .reply(Reply(body: ConsumerIDList(consumerIDs: view.clientIDs).encode()))
    }

    /// 46. Only tags are offered; the text is RocketMQ's for a broker whose `enablePropertyFilter` is off.
    static func checkConfiguration(_ context: RequestContext) throws(RequestError) -> Outcome {
        let request = try context.body(CheckClientConfigBody.decode)
        let type = request.subscription.expressionType
        guard type.isEmpty || type == "TAG" else {
            throw RequestError(.systemError, "The broker does not support consumer to filter message by \(type)")
        }
        return .success
    }
}

/// The answer to a heartbeat: says what this broker can do beyond RocketMQ.
struct BrokerAnnouncement: CommandHeader {
    init() {}

    init(_ fields: HeaderFields) throws(HeaderError) {}

    func write(to writer: inout FieldWriter) {
        writer.write(ProtocolExtension.brokerAnnouncement.name, ProtocolExtension.version)
    }
}
