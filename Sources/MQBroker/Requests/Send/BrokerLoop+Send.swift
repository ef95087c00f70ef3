import MQProtocol
import MQRemoting
import MQStore
import NIOCore

/// Sends: codes 10, 310 and 320.
extension BrokerLoop {
    func send(_ frame: Frame, _ connection: Connection) throws(RequestError) {
        let header = try Self.sendRequest(frame)
        let topic = try sendTopic(header)
        let rules = topic.sendRules
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

    /// Decodes a header; what is wrong with it becomes the remark.
    static func header<Header: CommandHeader>(
        _ type: Header.Type, of frame: Frame
    ) throws(RequestError) -> Header {
        do {
            return try Header(frame.fields)
        } catch {
            throw RequestError(.systemError, "\(error)")
        }
    }

    // MARK: Checks of every send, in stock's order

    private func sendTopic(_ header: SendRequest) throws(RequestError) -> Topic {
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
            throw RequestError(.topicNotExist, "topic[\(name)] not exist, apply first please!\(Self.help)")
        }
        return created
    }

    private static func forbidden(_ topic: String) -> RequestError {
        RequestError(.noPermission, "Sending message to topic[\(topic)] is forbidden.")
    }

    /// What the acknowledgement of a message waits for when its topic was just created: the topic on disk, or a power
    /// loss could leave messages that nobody can pull.
    func saving(of topic: Topic) -> EventLoopFuture<Void>? {
        broker.topics.saving(of: topic, on: eventLoop)
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

    static let help = "\nCreate it with: mqadmin updateTopic -n NAMESRV -c CLUSTER -t TOPIC"

    // MARK: One message

    private func stageMessage(
        _ frame: Frame,
        _ header: SendRequest,
        _ topic: Topic,
        _ rules: Topic.SendRules,
        _ queueID: Int32,
        _ connection: Connection
    ) throws(RequestError) {
        // Out of the object meanwhile, so that its memory is not watched over at every look.
        var properties = ByteBuffer()
        swap(&properties, &self.properties)
        defer { swap(&properties, &self.properties) }
        properties.clear()
        header.writeProperties(into: &properties)
        let seen = SendProperties(properties)
        var draft = messageDraft(frame, header, topic, rules, queueID, connection)
        var target = topic
        if topic.isRetry { try redirect(&draft, &target, header, frame.version) }
        // Judged for a half too: once its commit is stored nobody can be told.
        let delay: DelayRequest?
        do {
            delay = seen.asksForDelay ? try seen.delay.request(now: broker.time.now()) : nil
        } catch {
            throw RequestError(.messageIllegal, error.remark)
        }
        if seen.isHalf, !Self.isRetryOfTransaction(header, seen) {
            return try stageHalf(draft, &properties, seen, frame.replyTo, topic, queueID, connection)
        }
        try Self.clearTransaction(&draft, seen)
        if delay == nil { seen.removeWait(from: &properties) }
        properties.appendProperties(settings.sends.clusterProperty)
        draft.properties = properties
        if let delay { draft.wait(for: delay, maximumLevel: broker.delayLevels.maximum) }
        let queue = delay == nil ? target.queue(draft.queueID) : broker.store.queue(draft.topic, draft.queueID)
        let item = try stage(draft, to: queue)
        topic.statistics.stored(queueID: queueID, messages: 1, bytes: draft.recordBytes)
        staged.append(
            StagedReply(
                connection: connection, request: frame.replyTo, items: item..<(item + 1),
                purpose: .message(queueID: queueID), waits: seen.waits, saved: saving(of: target)
            )
        )
    }

    /// A transaction's message that its consumer sends back through a producer, as clients before 4.6.1 do.
    private static func isRetryOfTransaction(_ header: SendRequest, _ seen: SendProperties) -> Bool {
        header.reconsumeTimes > 0 && seen.delay.level ?? 0 > 0
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

    /// Adds a record to this turn's append; a message the log cannot take is the sender's mistake alone.
    ///
    /// - Parameter isStoredAgain: whether the message was accepted before (``AppendBatch/add(_:to:isStoredAgain:)``).
    func stage(
        _ draft: borrowing MessageDraft, to queue: QueueRef, isStoredAgain: Bool = false
    ) throws(RequestError) -> Int {
        // Asked for the first record only: the append of them all asks again.
        if staged.isEmpty, let refusal = broker.store.refusal { throw Self.refusal(refusal) }
        do {
            return try batch.add(draft, to: queue, isStoredAgain: isStoredAgain)
        } catch {
            throw Self.refusal(error)
        }
    }

    // MARK: Half messages

    private func stageHalf(
        _ message: MessageDraft,
        _ properties: inout ByteBuffer,
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
        var draft = message
        var half = HalfRecord.draft(properties, sent: draft.bornTimestamp, now: broker.time.now())
        properties.appendProperties(settings.sends.clusterProperty)
        properties.appendRealPlace(topic: draft.topic, queueID: draft.queueID)
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
                purpose: .half(queueID: queueID, half), waits: seen.waits, saved: saving(of: topic)
            )
        )
    }

    // MARK: Batches

    private func stageBatch(
        _ frame: Frame,
        _ header: SendRequest,
        _ topic: Topic,
        _ rules: Topic.SendRules,
        _ queueID: Int32,
        _ connection: Connection
    ) throws(RequestError) {
        let outerText = header.properties
        let outer = SendProperties(outerText)
        guard header.sysFlag.transactionType == .none, outer.delay.level ?? 0 <= 0 else {
            throw RequestError(.messageIllegal, "a batch can be neither transactional nor delayed")
        }
        let limit = configuration.storage.maximumBodyBytes
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
                purpose: .message(queueID: queueID), waits: outer.waits, saved: saving(of: topic)
            )
        )
    }

    /// Each item becomes a record of its own, with the properties of all: a small batch may be a very large one.
    private func checkExpansion(
        of body: ByteBuffer, _ items: Int, _ outer: ByteBuffer, _ draft: MessageDraft
    ) throws(RequestError) {
        let each = draft.recordBytes + outer.readableBytes + settings.sends.clusterProperty.readableBytes + 2
        let bytes = body.readableBytes + items * max(0, each - draft.body.readableBytes - BatchItem.fixedBytes)
        let limit = 2 * configuration.storage.maximumBodyBytes + (64 << 10)
        guard bytes <= limit else {
            throw RequestError(
                .messageIllegal,
                "message size exceeded: the \(items) messages of the batch become \(bytes) bytes, more than \(limit)"
            )
        }
    }

    private func batchProperties(_ item: BatchItem, _ outer: ByteBuffer) -> ByteBuffer {
        properties.clear()
        properties.writeImmutableBuffer(item.properties)
        if properties.readableBytes > 0, outer.readableBytes > 0,
            properties.getInteger(at: properties.writerIndex - 1, as: UInt8.self) != PropertyScan.itemEnd
        {
            properties.writeInteger(PropertyScan.itemEnd)
        }
        properties.writeImmutableBuffer(outer)
        properties.appendProperties(settings.sends.clusterProperty)
        return properties
    }
}
