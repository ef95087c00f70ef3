import MQProtocol
import NIOCore

/// One send request, everything but its queue.
struct OutgoingSend {
    var topic: String
    var body: ByteBuffer
    var properties: MessageProperties
    var sysFlag: SysFlag
    var flag: Int32
    var messageID: String
    var isBatch = false

    init(_ message: Message, _ encoded: EncodedMessage) {
        self.init(
            topic: message.topic, body: encoded.body, properties: encoded.properties, sysFlag: encoded.sysFlag,
            flag: message.flag, messageID: encoded.uniqueID)
    }

    init(
        topic: String, body: ByteBuffer, properties: MessageProperties, sysFlag: SysFlag, flag: Int32,
        messageID: String, isBatch: Bool = false
    ) {
        self.topic = topic
        self.body = body
        self.properties = properties
        self.sysFlag = sysFlag
        self.flag = flag
        self.messageID = messageID
        self.isBatch = isBatch
    }

    func header(queue: MessageQueue, configuration: MQClientConfiguration) -> SendMessageHeader {
        SendMessageHeader(
            producerGroup: configuration.producerGroup,
            topic: topic,
            defaultTopic: SystemTopic.autoCreate,
            defaultTopicQueueCount: configuration.automaticTopicQueues,
            queueID: queue.queueID,
            sysFlag: sysFlag,
            bornTimestamp: configuration.time.now(),
            flag: flag,
            properties: properties.encode(),
            isBatch: isBatch,
            brokerName: queue.brokerName
        )
    }
}
