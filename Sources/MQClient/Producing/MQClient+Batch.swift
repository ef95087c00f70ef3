import MQProtocol
import NIOCore

extension MQClient {
    /// - Throws: ``MQClientError/Code/invalidMessage``.
    func batch(_ messages: [Message]) throws(MQClientError) -> OutgoingSend {
        guard let first = messages.first else { throw MQClientError(.invalidMessage, "A batch needs a message.") }
        var body = ByteBuffer()
        var identifiers: [String] = []
        for message in messages {
            try checkBatched(message, topic: first.topic)
            let draft = try message.encoded(ids: ids, configuration: configuration, compresses: false)
            identifiers.append(draft.uniqueID)
            let item = BatchItem(flag: message.flag, body: draft.body, properties: draft.properties.encode())
            do {
                try item.write(to: &body)
            } catch {
                throw MQClientError(.invalidMessage, "A message does not fit a batch: \(error)", cause: error)
            }
        }
        guard body.readableBytes <= configuration.maximumBodyBytes else {
            throw MQClientError(
                .invalidMessage,
                "The batch has \(body.readableBytes) bytes, more than \(configuration.maximumBodyBytes): split it.")
        }
        return OutgoingSend(
            batch: body, topic: first.topic, messageID: identifiers.joined(separator: ","),
            group: configuration.producerGroup)
    }

    private func checkBatched(_ message: Message, topic: String) throws(MQClientError) {
        guard message.topic == topic else {
            throw MQClientError(.invalidMessage, "A batch has one topic, not \(topic) and \(message.topic).")
        }
        guard message.delay == .none else {
            throw MQClientError(.invalidMessage, "A message of a batch cannot be delayed: send it by itself.")
        }
        guard !TopicName.isRetry(topic) else {
            throw MQClientError(.invalidMessage, "A retry topic takes no batches: send the messages one by one.")
        }
    }
}
