import MQProtocol
import NIOCore

/// One send request, everything but its queue.
struct OutgoingSend {
    var topic: String
    var body: ByteBuffer
    var properties: ByteBuffer
    var sysFlag = SysFlag(rawValue: 0)
    var flag: Int32 = 0
    var messageID: String
    var producerGroup: String
    var isBatch = false
    var isHalf = false
    /// Where stock brokers would do less than is asked for.
    var power: BrokerPower?

    init(_ message: Message, _ encoded: EncodedMessage, group: String) {
        topic = message.topic
        body = encoded.body
        properties = encoded.properties.encode()
        sysFlag = encoded.sysFlag
        flag = message.flag
        messageID = encoded.uniqueID
        producerGroup = group
        power = BrokerPower(message.delay)
    }

    /// A half message of `group`: it stays invisible until its verdict.
    init(half message: Message, _ encoded: EncodedMessage, group: String) {
        var encoded = encoded
        encoded.properties[PropertyName.transactionPrepared] = "true"
        encoded.properties[PropertyName.producerGroup] = group
        encoded.sysFlag.transactionType = .prepared
        self.init(message, encoded, group: group)
        isHalf = true
        power = message.delay == .none ? nil : .delayedHalf
    }

    init(batch body: ByteBuffer, topic: String, messageID: String, group: String) {
        self.topic = topic
        self.body = body
        properties = ByteBuffer()
        self.messageID = messageID
        producerGroup = group
        isBatch = true
    }

    var code: RequestCode {
        isBatch ? .sendBatchMessage : .sendMessageV2
    }

    func header(queue: MessageQueue, configuration: MQClientConfiguration) -> SendMessageHeader {
        SendMessageHeader(
            producerGroup: producerGroup,
            topic: topic,
            defaultTopic: SystemTopic.autoCreate,
            defaultTopicQueueCount: configuration.automaticTopicQueues,
            queueID: queue.queueID,
            sysFlag: sysFlag,
            bornTimestamp: configuration.time.now(),
            flag: flag,
            properties: properties,
            isBatch: isBatch,
            brokerName: queue.brokerName
        )
    }
}
