import MQProtocol
import MQRemoting
import MQStore
import NIOCore
import NIOPosix

/// Replies of request/reply messaging, pushed to the client that waits for them (broker.md 13).
enum ReplyRequests {
    private static let timeout = Duration.seconds(10)

    /// 324 and 325. The answer says whether the push worked; whether the reply could be stored changes only the ids.
    static func send(_ context: RequestContext) throws(RequestError) -> Outcome {
        let header = try context.header(SendMessageHeader.self)
        let topic = try topic(header, context)
        let message = ReplyMessage(
            header: header, body: context.frame.body, bornHost: context.connection.remoteAddress, now: context.now
        )
        let broker = context.broker
        let clientID = message.properties[PropertyName.replyToClient]
        let connection = clientID.flatMap { broker.clients.producerConnection(clientID: $0) }
        let eventLoop = context.connection.eventLoop
        return .later(
            eventLoop.makeFutureWithTask {
                var reply = await push(message, to: clientID, on: connection, broker)
                if broker.settings.configuration.storesReplyMessages {
                    let stored = await store(message, in: topic, broker, on: eventLoop)
                    if let stored { reply.header = stored }
                }
                return reply
            })
    }

    /// The checks of a send, on the reply topic.
    private static func topic(_ header: SendMessageHeader, _ context: RequestContext) throws(RequestError) -> Topic {
        if let remark = TopicName.remark(refusing: header.topic) { throw RequestError(.systemError, remark) }
        if Topic.isClosedToClients(header.topic) {
            throw RequestError(.noPermission, "Sending message to topic[\(header.topic)] is forbidden.")
        }
        let found =
            context.broker.topics.find(header.topic)
            ?? context.broker.topics.createForSend(
                header.topic, template: header.defaultTopic, queueCount: header.defaultTopicQueueCount,
                unit: header.unitMode
            )
        guard let found else {
            throw RequestError(
                .topicNotExist, "topic[\(header.topic)] not exist, apply first please!\(BrokerLoop.help)"
            )
        }
        let config = found.config
        guard header.queueID < max(config.readQueueNums, config.writeQueueNums) else {
            throw RequestError(.systemError, "request queueId[\(header.queueID)] is illegal, topic[\(header.topic)]")
        }
        return found
    }

    private static func push(
        _ message: ReplyMessage, to clientID: String?, on connection: ConnectionHandle?, _ broker: Broker
    ) async -> Reply {
        let header = SendMessageResponseHeader(
            messageIDs: .text("0"), queueID: max(0, message.header.queueID), queueOffset: .zero,
            region: broker.settings.configuration.regionID, traceOn: broker.settings.configuration.traceOn
        )
        guard let clientID else {
            let remark = "reply message properties[REPLY_TO_CLIENT] is null"
            return Reply(code: .systemError, remark: remark, header: header)
        }
        guard let connection else {
            let remark = "push reply message fail, channel of <\(clientID)> not found."
            return Reply(code: .systemError, remark: remark, header: header)
        }
        let answer = try? await connection.request(
            .pushReplyMessageToClient, header: message.pushHeader(broker), body: message.body, timeout: timeout
        )
        guard answer?.responseCode == .success else {
            return Reply(code: .systemError, remark: "push reply message to \(clientID)fail.", header: header)
        }
        return Reply(header: header)
    }

    /// - Returns: the answer's header with the place of the message; `nil` when it was not stored.
    private static func store(
        _ message: ReplyMessage, in topic: Topic, _ broker: Broker, on eventLoop: any EventLoop
    ) async -> SendMessageResponseHeader? {
        let queueID = max(0, message.header.queueID)
        let queue = topic.queue(queueID)
        let draft = message.draft(queueID: queueID, broker)
        let place = try? await broker.readThreads.runIfActive(eventLoop: eventLoop) {
            var batch = broker.store.makeBatch()
            _ = try batch.add(draft, to: queue)
            try broker.store.append(&batch)
            return (batch[0].logOffset, batch[0].queueOffset)
        }.get()
        guard let place else { return nil }
        topic.statistics.stored(queueID: queueID, messages: 1, bytes: draft.recordBytes)
        return SendMessageResponseHeader(
            messageIDs: .one(OffsetMessageID(host: broker.advertisedHost, offset: place.0)), queueID: queueID,
            queueOffset: place.1, region: broker.settings.configuration.regionID,
            traceOn: broker.settings.configuration.traceOn
        )
    }
}

/// A reply as it arrived.
struct ReplyMessage: Sendable {
    let header: SendMessageHeader
    let body: ByteBuffer
    let bornHost: HostAddress
    let now: Timestamp
    /// The sender's properties and the time of the push.
    let properties: MessageProperties

    init(header: SendMessageHeader, body: ByteBuffer, bornHost: HostAddress, now: Timestamp) {
        self.header = header
        self.body = body
        self.bornHost = bornHost
        self.now = now
        var properties = MessageProperties(text: header.properties)
        properties[PropertyName.pushReplyTime] = "\(now.milliseconds)"
        self.properties = properties
    }

    func pushHeader(_ broker: Broker) -> PushReplyHeader {
        PushReplyHeader(
            producerGroup: header.producerGroup, topic: header.topic, defaultTopic: header.defaultTopic,
            defaultTopicQueueCount: header.defaultTopicQueueCount, queueID: header.queueID, sysFlag: header.sysFlag,
            bornTimestamp: header.bornTimestamp, flag: header.flag, properties: String(buffer: properties.encode()),
            reconsumeTimes: header.reconsumeTimes, unitMode: header.unitMode, bornHost: "\(bornHost)",
            storeHost: "\(broker.advertisedHost)", storeTimestamp: now
        )
    }

    func draft(queueID: Int32, _ broker: Broker) -> MessageDraft {
        var properties = properties
        properties[PropertyName.cluster] = broker.settings.configuration.clusterName
        var sysFlag = header.sysFlag
        // A half or a rollback would be in no queue.
        sysFlag.transactionType = .none
        return MessageDraft(
            topic: header.topic, queueID: queueID, flag: header.flag, sysFlag: sysFlag,
            bornTimestamp: header.bornTimestamp, bornHost: bornHost, storeHost: broker.advertisedHost,
            reconsumeTimes: header.reconsumeTimes, preparedTransactionOffset: .zero, body: body,
            properties: properties.encode()
        )
    }
}
