import MQProtocol
import NIOCore

/// A message ready for the wire: what its header and body must carry.
struct EncodedMessage {
    var properties: MessageProperties
    var body: ByteBuffer
    var sysFlag: SysFlag
    var uniqueID: String
}

extension Message {
    /// - Throws: ``MQClientError/Code/invalidMessage``.
    func encoded(
        ids: UniqueIDGenerator, configuration: MQClientConfiguration, compresses: Bool = true
    ) throws(MQClientError) -> EncodedMessage {
        try checkTopic()
        guard body.readableBytes > 0 else {
            throw MQClientError(
                .invalidMessage, "The body is empty: RocketMQ's clients and brokers take no message without one.")
        }
        guard body.readableBytes <= configuration.maximumBodyBytes else {
            throw MQClientError(
                .invalidMessage,
                "The body has \(body.readableBytes) bytes, more than \(configuration.maximumBodyBytes): "
                    + "send a reference to it instead, or raise maximumBodyBytes here and maxMessageSize at the broker."
            )
        }
        let uniqueID = ids.next().hex
        let properties = try wireProperties(uniqueID: uniqueID)
        var sysFlag = SysFlag(rawValue: 0)
        var encodedBody = body
        if compresses, body.readableBytes >= configuration.compressionThreshold {
            encodedBody = Zlib.deflate(body)
            sysFlag.insert(.compressed)
        }
        return EncodedMessage(properties: properties, body: encodedBody, sysFlag: sysFlag, uniqueID: uniqueID)
    }

    private func checkTopic() throws(MQClientError) {
        if let remark = TopicName.remark(refusing: topic) {
            throw MQClientError(.invalidMessage, "The topic \"\(topic)\" is not possible: \(remark)")
        }
        guard !SystemTopic.forbidsSending(topic) else {
            throw MQClientError(
                .invalidMessage,
                "Sending message to topic[\(topic)] is forbidden: brokers keep their own records there.")
        }
    }

    private func wireProperties(uniqueID: String) throws(MQClientError) -> MessageProperties {
        var all = MessageProperties()
        for (name, value) in properties.sorted(by: { $0.key < $1.key }) { all[name] = value }
        if let tag { all[PropertyName.tags] = tag }
        if !keys.isEmpty { all[PropertyName.keys] = keys.joined(separator: " ") }
        switch delay {
        case .none: break
        case .level(let level): all[PropertyName.delayLevel] = String(level)
        case .after(let duration): all[PropertyName.timerDelayMilliseconds] = String(duration.wholeMilliseconds)
        case .at(let time): all[PropertyName.timerDeliverMilliseconds] = String(time.milliseconds)
        }
        all[PropertyName.uniqueKey] = uniqueID
        all[PropertyName.waitStored] = "true"
        if let name = all.firstUnrepresentableName {
            throw MQClientError(
                .invalidMessage,
                "The property \"\(name)\" cannot be sent: neither its name nor its value may be empty or contain "
                    + "U+0001 or U+0002."
            )
        }
        return all
    }
}
