import MQProtocol
import MQRemoting
import MQStore
import NIOCore

/// Messages that a consumer could not handle: code 36.
extension BrokerLoop {
    func sendBack(_ frame: Frame, _ connection: Connection) throws(RequestError) {
        let header = try Self.header(SendBackHeader.self, of: frame)
        guard let group = broker.groups.findOrCreate(header.group) else {
            throw RequestError(.subscriptionGroupNotExist, "subscription group not exist, \(header.group)")
        }
        guard configuration.isWritable else {
            throw RequestError(.noPermission, "the broker[\(broker.advertisedHost)] sending message is forbidden")
        }
        guard group.retryQueueNums > 0 else {
            return answer(frame.replyTo, on: connection, Reply())
        }
        let retry = broker.topics.ensure(TopicName.retry(group: header.group), queues: group.retryQueueNums)
        guard retry.config.perm & 2 != 0 else {
            throw RequestError(.noPermission, "the topic[\(retry.name)] sending message is forbidden")
        }
        withRecord(at: header.logOffset, for: frame.replyTo, on: connection) { [self] original in
            do throws(RequestError) {
                guard let original else {
                    throw RequestError(.systemError, "look message by offset failed, \(header.logOffset.rawValue)")
                }
                try stageRetry(frame, header, original, group, connection)
            } catch {
                refuse(frame.replyTo, on: connection, error)
            }
        }
    }

    private func stageRetry(
        _ frame: Frame,
        _ header: SendBackHeader,
        _ original: StoredRecord,
        _ group: SubscriptionGroupConfig,
        _ connection: Connection
    ) throws(RequestError) {
        var limit = group.retryMaxTimes
        if frame.version >= ProtocolVersion.maximumReconsumeTimes, let own = header.maximumReconsumeTimes {
            limit = own
        }
        let reconsumed = original.view.reconsumeTimes
        let isDead = reconsumed >= limit || header.delayLevel < 0
        let level = header.delayLevel > 0 ? Int(header.delayLevel) : 3 + Int(max(reconsumed, 0))
        var draft = retryDraft(original, header, group, level: isDead ? nil : level)
        let topic = broker.topics.ensure(draft.topic, queues: isDead ? 1 : group.retryQueueNums)
        var queue = topic.queue(draft.queueID)
        if !isDead {
            draft.wait(for: .level(level), maximumLevel: broker.delayLevels.maximum)
            queue = broker.store.queue(draft.topic, draft.queueID)
        }
        let item = try work.stage(draft, to: queue, isStoredAgain: true)
        broker.statistics.consumption(topic: header.originTopic ?? original.topic, group: header.group).sentBack()
        work.staged.append(
            StagedReply(
                connection: connection, request: frame.replyTo, items: item..<(item + 1), purpose: .sentBack,
                waits: true, saved: broker.saving(of: topic, on: eventLoop)
            )
        )
    }

    /// - Parameter level: nil for a message that is given up.
    private func retryDraft(
        _ original: StoredRecord,
        _ header: SendBackHeader,
        _ group: SubscriptionGroupConfig,
        level: Int?
    ) -> MessageDraft {
        let isDead = level == nil
        let name = isDead ? TopicName.deadLetter(group: header.group) : TopicName.retry(group: header.group)
        let queueID = isDead ? 0 : Int32.random(in: 0..<group.retryQueueNums)
        var draft = original.draft(topic: name, queueID: queueID)
        let (times, overflow) = original.view.reconsumeTimes.addingReportingOverflow(1)
        draft.reconsumeTimes = overflow ? .max : times
        var properties = MessageProperties(text: original.properties)
        if properties[PropertyName.retryTopic] == nil { properties[PropertyName.retryTopic] = original.topic }
        if properties[PropertyName.originMessageID] == nil {
            let id = OffsetMessageID(host: original.view.storeHost, offset: original.view.physicalOffset)
            properties[PropertyName.originMessageID] = id.hex
        }
        properties[PropertyName.waitStored] = "false"
        properties[PropertyName.delayLevel] = String(min(level ?? 0, broker.delayLevels.maximum))
        // Where it waited before is of no meaning any more.
        properties[PropertyName.realTopic] = nil
        properties[PropertyName.realQueueID] = nil
        draft.properties = properties.encode()
        return draft
    }
}
