import Logging
import MQProtocol
import NIOCore

extension PushConsumer {
    private static let sendBackTimeout = Duration.seconds(5)

    /// Has the broker deliver a message again later, or keep it as a dead letter. When the broker of the message does
    /// not do it, a new message is sent to the group's retry topic instead.
    ///
    /// - Parameter level: −1: dead letter at once; 0: the broker chooses.
    /// - Returns: false when neither worked.
    func sendBack(_ message: ReceivedMessage, level: Int32) async -> Bool {
        do {
            let address = try await client.master(ofBroker: message.brokerName, in: message.topic)
            let header = SendBackHeader(
                logOffset: LogOffset(rawValue: message.logOffset), group: configuration.group, delayLevel: level,
                originMessageID: message.offsetMessageID, originTopic: message.topic,
                maximumReconsumeTimes: configuration.reconsumeLimit, brokerName: message.brokerName)
            try await client.successfulRequest(
                to: address, .consumerSendMessageBack, header: header, timeout: Self.sendBackTimeout)
            return true
        } catch {
            logger.warning("Message \(message.messageID) not sent back, a new one is sent: \(error)")
        }
        do {
            try await sendAgain(message, level: level)
            return true
        } catch {
            logger.error("Message \(message.messageID) sent back in neither way, it stays here: \(error)")
            return false
        }
    }

    private func sendAgain(_ message: ReceivedMessage, level: Int32) async throws(MQClientError) {
        let queue = client.nextQueue(try await client.publishQueues(retryTopic), avoiding: nil)
        let address = try await client.master(ofBroker: queue.brokerName, in: retryTopic)
        let copy = RetryCopy(
            of: message, level: level, limit: configuration.reconsumeLimit,
            compressionThreshold: client.configuration.compressionThreshold)
        let header = copy.header(
            group: GroupName.clientInnerProducer, queue: queue, topic: retryTopic, bornTimestamp: time.now())
        let answer = try await client.request(
            to: address, .sendMessageV2, header: header, body: copy.body, timeout: Self.sendBackTimeout)
        guard SendReceipt.Status(answer.responseCode) != nil else {
            throw MQClientError(refusal: answer, address: address)
        }
    }
}

/// A received message as a new one for a group's retry topic.
struct RetryCopy {
    var properties: MessageProperties
    var body: ByteBuffer
    var sysFlag = SysFlag(rawValue: 0)
    var flag: Int32
    var reconsumeTimes: Int32
    var limit: Int32

    /// - Parameters:
    ///   - level: −1: as if it had failed `limit` times; 0: by the attempts so far.
    ///   - limit: failed attempts with which the broker makes it a dead letter.
    init(of message: ReceivedMessage, level: Int32, limit: Int32, compressionThreshold: Int) {
        let (attempts, overflow) = message.reconsumeTimes.addingReportingOverflow(1)
        self.limit = limit
        reconsumeTimes = overflow ? .max : attempts
        if level < 0 { reconsumeTimes = max(reconsumeTimes, limit) }
        flag = message.flag
        body = message.body
        if message.unreadable != nil {
            // As it was stored, somebody else may be able to read it.
            sysFlag.compression = SysFlag(rawValue: message.systemFlag).compression
        } else if body.readableBytes >= compressionThreshold {
            body = Zlib.deflate(body)
            sysFlag.insert(.compressed)
        }
        properties = MessageProperties()
        for (name, value) in message.properties.sorted(by: { $0.key < $1.key }) { properties[name] = value }
        properties[PropertyName.transactionPrepared] = nil
        properties[PropertyName.retryTopic] = message.topic
        if properties[PropertyName.originMessageID] == nil {
            properties[PropertyName.originMessageID] = message.offsetMessageID
        }
        properties[PropertyName.reconsumeTime] = nil
        properties[PropertyName.maximumReconsumeTimes] = nil
        let chosen = level > 0 ? level : 3 + max(0, message.reconsumeTimes)
        properties[PropertyName.delayLevel] = level < 0 ? nil : String(chosen)
    }

    func header(group: String, queue: MessageQueue, topic: String, bornTimestamp: Timestamp) -> SendMessageHeader {
        SendMessageHeader(
            producerGroup: group, topic: topic, queueID: queue.queueID, sysFlag: sysFlag, bornTimestamp: bornTimestamp,
            flag: flag, properties: properties.encode(), reconsumeTimes: reconsumeTimes,
            maximumReconsumeTimes: limit, brokerName: queue.brokerName)
    }
}
