import MQProtocol
import MQRemoting
import MQStore
import NIOCore

/// Sends: codes 10, 310 and 320.
extension TurnWork {
    mutating func send(_ frame: Frame, _ connection: Connection) throws(RequestError) {
        let header = try Self.sendRequest(frame)
        let topic = try sendTopic(header)
        let rules = topic.sendRules(for: header.queueID)
        let queueID = try Self.sendQueue(header, topic, rules)
        if header.isBatch || frame.requestCode == .sendBatchMessage {
            try stageBatch(frame, header, topic, rules, queueID, connection)
        } else {
            try stageMessage(frame, header, topic, rules, queueID, connection)
        }
    }

    private static func sendRequest(_ frame: Frame) throws(RequestError) -> SendRequest {
        do {
            return try SendRequest(frame.fields)
        } catch {
            throw RequestError(.systemError, "\(error)")
        }
    }

    // MARK: Checks of every send, in stock's order

    private mutating func sendTopic(_ header: SendRequest) throws(RequestError) -> Topic {
        let start = settings.sends.acceptedFrom
        if start > 0, start > broker.time.now().milliseconds {
            throw RequestError(.systemError, "broker unable to service, until \(start)")
        }
        guard let topic = topics.find(header, in: broker.topics) else { return try unknownTopic(header) }
        if !settings.sends.isWritable, topic.isOrder {
            throw RequestError(.noPermission, "the broker[\(broker.advertisedHost)] sending message is forbidden")
        }
        if topic.isClosedToClients { throw Self.forbidden(topic.name) }
        return topic
    }

    private func unknownTopic(_ header: SendRequest) throws(RequestError) -> Topic {
        let name = header.topic
        if let remark = TopicName.remark(refusing: name) { throw RequestError(.systemError, remark) }
        if Topic.isClosedToClients(name) { throw Self.forbidden(name) }
        if broker.topics.isBeingDeleted(name) {
            throw RequestError(.serviceNotAvailable, "service not available now: topic[\(name)] is being deleted")
        }
        let created = broker.topics.createForSend(
            name, template: header.defaultTopic, queueCount: header.defaultTopicQueueCount, unit: header.unitMode
        )
        guard let created else {
            throw RequestError(.topicNotExist, "topic[\(name)] not exist, apply first please!\(BrokerLoop.help)")
        }
        return created
    }

    private static func forbidden(_ topic: String) -> RequestError {
        RequestError(.noPermission, "Sending message to topic[\(topic)] is forbidden.")
    }

    private static func sendQueue(
        _ header: SendRequest,
        _ topic: Topic,
        _ rules: Topic.SendRules
    ) throws(RequestError) -> Int32 {
        guard header.queueID < max(rules.writeQueues, rules.readQueues) else {
            throw RequestError(
                .systemError,
                "request queueId[\(header.queueID)] is illegal, \(topic.name) has \(rules.writeQueues) write queues"
            )
        }
        guard header.queueID < 0 else { return header.queueID }
        return rules.writeQueues > 0 ? Int32.random(in: 0..<rules.writeQueues) : 0
    }

    // MARK: One message

    private mutating func stageMessage(
        _ frame: Frame,
        _ header: SendRequest,
        _ topic: Topic,
        _ rules: Topic.SendRules,
        _ queueID: Int32,
        _ connection: Connection
    ) throws(RequestError) {
        let seen = takeProperties(of: header)
        var draft = messageDraft(frame, header, topic, rules, queueID, connection)
        var target = topic
        if topic.isRetry { try redirect(&draft, &target, header, frame.version) }
        // Judged for a half too: once its commit is stored nobody can be told.
        let delay: DelayRequest?
        do {
            delay = try seen.delay(in: properties)?.request(now: broker.time.now())
        } catch {
            throw RequestError(.messageIllegal, error.remark)
        }
        if seen.isHalf, !Self.isRetryOfTransaction(header, delay) {
            return try stageHalf(&draft, seen, frame.replyTo, target, queueID, connection)
        }
        try Self.clearTransaction(&draft, seen)
        if delay == nil { seen.removeWait(from: &properties) }
        draft.properties = properties
        let queue: QueueRef
        if let delay {
            draft.wait(for: delay, maximumLevel: broker.delayLevels.maximum)
            queue = broker.store.queue(draft.topic, draft.queueID)
        } else {
            queue = target === topic ? rules.queue ?? topic.queue(queueID) : target.queue(draft.queueID)
        }
        let item = try stage(draft, to: queue)
        topic.statistics.stored(queueID: queueID, messages: 1, bytes: Int(batch[item].size))
        staged.append(
            StagedReply(
                connection: connection, request: frame.replyTo, items: item..<(item + 1),
                purpose: .message(queueID: queueID), waits: seen.waits, saved: broker.saving(of: target, on: eventLoop)
            )
        )
    }

    /// A transaction's message that its consumer sends back through a producer, as clients before 4.6.1 do.
    private static func isRetryOfTransaction(_ header: SendRequest, _ delay: DelayRequest?) -> Bool {
        guard header.reconsumeTimes > 0, case .level? = delay else { return false }
        return true
    }

    /// What is stored with the type of a half or of a rollback is in no queue: a message that is neither would be
    /// acknowledged and never be read.
    private static func clearTransaction(_ draft: inout MessageDraft, _ seen: SendProperties) throws(RequestError) {
        let type = draft.sysFlag.transactionType
        guard type == .prepared || type == .rollback else { return }
        guard seen.isHalf else {
            throw RequestError(
                .messageIllegal, "the system flag says that this is part of a transaction, but TRAN_MSG is not true"
            )
        }
        draft.sysFlag.transactionType = .none
    }

    /// Puts the message's properties and the cluster's into ``properties``, and says what they ask for.
    private mutating func takeProperties(of header: borrowing SendRequest) -> SendProperties {
        header.writeProperties(into: &properties, followedBy: settings.sends.clusterProperty)
        return SendProperties(properties)
    }

    private func messageDraft(
        _ frame: Frame,
        _ header: SendRequest,
        _ topic: Topic,
        _ rules: Topic.SendRules,
        _ queueID: Int32,
        _ connection: Connection
    ) -> MessageDraft {
        var sysFlag = header.sysFlag
        if rules.isMultiTag { sysFlag.insert(.multiTags) }
        return MessageDraft(
            topic: topic.name, queueID: queueID, flag: header.flag, sysFlag: sysFlag,
            bornTimestamp: header.bornTimestamp, bornHost: connection.remoteAddress,
            storeHost: broker.advertisedHost, reconsumeTimes: header.reconsumeTimes, body: frame.body,
            properties: ByteBuffer()
        )
    }

    /// A message to a retry topic that was consumed too often goes to the group's dead letters instead.
    private func redirect(
        _ draft: inout MessageDraft,
        _ target: inout Topic,
        _ header: SendRequest,
        _ version: Int32
    ) throws(RequestError) {
        guard let name = TopicName.group(of: target.name) else { return }
        guard let group = broker.groups.findOrCreate(name) else {
            throw RequestError(.subscriptionGroupNotExist, "subscription group not exist, \(name)")
        }
        var limit = group.retryMaxTimes
        if version >= ProtocolVersion.maximumReconsumeTimes, let own = header.maximumReconsumeTimes { limit = own }
        guard header.reconsumeTimes >= limit else { return }
        target = broker.topics.ensure(TopicName.deadLetter(group: name), queues: 1)
        draft.topic = target.name
        draft.queueID = 0
    }

    // MARK: Half messages

    /// - Parameter draft: the message, but for its properties.
    private mutating func stageHalf(
        _ draft: inout MessageDraft,
        _ seen: SendProperties,
        _ request: ReplyTo,
        _ topic: Topic,
        _ queueID: Int32,
        _ connection: Connection
    ) throws(RequestError) {
        if settings.sends.rejectsTransactions {
            throw RequestError(
                .noPermission, "the broker[\(broker.advertisedHost)] sending transaction message is forbidden"
            )
        }
        var half = HalfRecord.draft(seen, in: properties, sent: draft.bornTimestamp, now: broker.time.now())
        properties.separateProperties()
        properties.writeBytes(topic.realPlace)
        properties.writeDecimal(Int64(draft.queueID))
        guard properties.readableBytes <= RecordLayout.maximumPropertiesBytes - HalfRecord.reservedBytes else {
            throw RequestError(
                .messageIllegal,
                "a half message's properties have \(properties.readableBytes) bytes, and the broker will add up to "
                    + "\(HalfRecord.reservedBytes) of its own: more than \(RecordLayout.maximumPropertiesBytes)"
            )
        }
        draft.properties = properties
        HalfRecord.prepare(&draft)
        half.opFloor = broker.store.maximumOffset(of: broker.transactions.opQueue)
        let item = try stage(draft, to: broker.transactions.halfQueue)
        staged.append(
            StagedReply(
                connection: connection, request: request, items: item..<(item + 1),
                purpose: .half(queueID: queueID, half), waits: seen.waits,
                saved: broker.saving(of: topic, on: eventLoop)
            )
        )
    }

    // MARK: Batches

    private mutating func stageBatch(
        _ frame: Frame,
        _ header: SendRequest,
        _ topic: Topic,
        _ rules: Topic.SendRules,
        _ queueID: Int32,
        _ connection: Connection
    ) throws(RequestError) {
        let outerText = header.properties
        let outer = SendProperties(outerText)
        guard header.sysFlag.transactionType == .none, outer.delay(in: outerText)?.level ?? 0 <= 0 else {
            throw RequestError(.messageIllegal, "a batch can be neither transactional nor delayed")
        }
        let limit = settings.configuration.storage.maximumBodyBytes
        guard frame.body.readableBytes <= limit else {
            throw RequestError(
                .messageIllegal,
                "the batch has \(frame.body.readableBytes) bytes, more than maxMessageSize=\(limit): send fewer at once"
            )
        }
        let items: [BatchItem]
        do {
            items = try BatchItem.decode(frame.body)
        } catch {
            throw RequestError(.messageIllegal, "the batch cannot be read: \(error)")
        }
        guard !items.isEmpty else { throw RequestError(.messageIllegal, "the batch is empty") }
        var draft = messageDraft(frame, header, topic, rules, queueID, connection)
        try checkExpansion(of: frame.body, items.count, outerText, draft)
        let queue = topic.queue(queueID)
        let first = batch.count
        batch.beginGroup()
        for item in items {
            draft.flag = item.flag
            draft.body = item.body
            draft.properties = batchProperties(item, outerText)
            do throws(RequestError) {
                _ = try stage(draft, to: queue)
            } catch {
                batch.cancelGroup()
                throw error
            }
        }
        batch.endGroup()
        topic.statistics.stored(queueID: queueID, messages: items.count, bytes: frame.body.readableBytes)
        staged.append(
            StagedReply(
                connection: connection, request: frame.replyTo, items: first..<batch.count,
                purpose: .message(queueID: queueID), waits: outer.waits, saved: broker.saving(of: topic, on: eventLoop)
            )
        )
    }

    /// Each item becomes a record of its own, with the properties of all: a small batch may be a very large one.
    private func checkExpansion(
        of body: ByteBuffer, _ items: Int, _ outer: ByteBuffer, _ draft: MessageDraft
    ) throws(RequestError) {
        let each = draft.recordBytes + outer.readableBytes + settings.sends.clusterProperty.count + 2
        let bytes = body.readableBytes + items * max(0, each - draft.body.readableBytes - BatchItem.fixedBytes)
        let limit = 2 * settings.configuration.storage.maximumBodyBytes + (64 << 10)
        guard bytes <= limit else {
            throw RequestError(
                .messageIllegal,
                "message size exceeded: the \(items) messages of the batch become \(bytes) bytes, more than \(limit)"
            )
        }
    }

    private mutating func batchProperties(_ item: BatchItem, _ outer: ByteBuffer) -> ByteBuffer {
        properties.clear()
        properties.writeImmutableBuffer(item.properties)
        if outer.readableBytes > 0 { properties.separateProperties() }
        properties.writeImmutableBuffer(outer)
        properties.separateProperties()
        properties.writeBytes(settings.sends.clusterProperty)
        return properties
    }
}
