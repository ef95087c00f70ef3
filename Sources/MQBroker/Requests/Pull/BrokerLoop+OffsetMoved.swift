import MQProtocol
import MQRemoting
import MQStore
import NIOCore

/// Pulls from offsets that a queue does not have are told to operators, as stock brokers do: a message to
/// `OFFSET_MOVED_EVENT`.
extension BrokerLoop {
    /// Stages the message with this turn's others; nothing is listed while the store refuses messages.
    func noteMovedOffset(_ queue: QueueRef, _ query: PullQuery, _ selection: Selection) {
        let body: JSONValue = [
            "consumerGroup": JSONValue(query.group),
            "messageQueue": [
                "brokerName": JSONValue(configuration.brokerName), "queueId": JSONValue(Int64(queue.queueID)),
                "topic": JSONValue(queue.topic),
            ],
            "offsetNew": JSONValue(selection.nextBegin.rawValue), "offsetRequest": JSONValue(query.offset.rawValue),
        ]
        var text = ByteBuffer()
        text.appendProperty(PropertyName.keys, query.group)
        text.appendProperty(PropertyName.tags, query.group)
        text.appendProperty(PropertyName.delayLevel, "0")
        let host = broker.advertisedHost
        let draft = MessageDraft(
            topic: SystemTopic.offsetMoved, queueID: 0, bornTimestamp: broker.time.now(), bornHost: host,
            storeHost: host, body: JSONWriter.compact(body), properties: text
        )
        guard (try? work.stage(draft, to: broker.store.queue(SystemTopic.offsetMoved, 0))) != nil else { return }
        turn.requestEnd()
    }
}
