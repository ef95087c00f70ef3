import MQProtocol
import NIOCore
import Synchronization

extension MQClient {
    /// Sends a message to some queue of its topic and waits until the broker has stored it.
    ///
    /// Queues are taken in turn. After a failure another broker is tried, ``MQClientConfiguration/sendAttempts`` in
    /// all and within ``MQClientConfiguration/sendTimeout``: when the failure was a lost answer, the message may then
    /// be stored twice.
    ///
    /// - Throws: ``MQClientError``: ``MQClientError/Code/topicNotFound``, ``MQClientError/Code/topicUnavailable``,
    ///   ``MQClientError/Code/invalidMessage``, ``MQClientError/Code/unsupportedByBroker``,
    ///   ``MQClientError/Code/refused`` or the last attempt's error.
    public func send(_ message: Message) async throws(MQClientError) -> SendReceipt {
        try await send(try outgoing(message)).receipt
    }

    /// Sends messages of one topic in one request, to one queue, next to each other.
    ///
    /// All of them are stored, or none. They cannot be delayed and are not compressed.
    ///
    /// - Throws: as ``send(_:)-(Message)``.
    public func send(_ messages: [Message]) async throws(MQClientError) -> SendReceipt {
        try await send(try batch(messages)).receipt
    }

    /// Sends a message to the queue that belongs to `key`: messages with the same key stay in order while the number of
    /// queues does not change. Java producers that select by the key's hash choose the same queue.
    ///
    /// On several masters that number changes when one of them comes or goes, unless the topic has an order
    /// configuration: then a key whose broker is away waits for it, ``MQClientError/Code/brokerUnknown``.
    ///
    /// There is one attempt only: another queue would break the order.
    public func send(_ message: Message, orderedBy key: String) async throws(MQClientError) -> SendReceipt {
        let outgoing = try outgoing(message)
        return try await send(outgoing, to: try await queue(of: message.topic, key: key), by: sendDeadline()).receipt
    }

    /// Sends a message to one queue. There is one attempt only.
    public func send(_ message: Message, to queue: MessageQueue) async throws(MQClientError) -> SendReceipt {
        try checkTopic(of: message, queue)
        return try await send(try outgoing(message), to: queue, by: sendDeadline()).receipt
    }

    /// Sends a message to some queue of its topic without asking for an answer: whether it was stored stays unknown.
    ///
    /// - Returns: the message's id, when it was handed to an open connection.
    /// - Throws: as ``send(_:)-(Message)``, but for what only a broker knows.
    @discardableResult
    public func sendOneWay(_ message: Message) async throws(MQClientError) -> String {
        let outgoing = try outgoing(message)
        let queue = nextQueue(try await publishQueues(message.topic), avoiding: nil)
        return try await sendOneWay(outgoing, to: queue)
    }

    /// Sends a message to the queue that belongs to `key` without asking for an answer.
    ///
    /// - Returns: as ``sendOneWay(_:)``.
    @discardableResult
    public func sendOneWay(_ message: Message, orderedBy key: String) async throws(MQClientError) -> String {
        let outgoing = try outgoing(message)
        return try await sendOneWay(outgoing, to: try await queue(of: message.topic, key: key))
    }

    /// Sends a message to one queue without asking for an answer.
    ///
    /// - Returns: as ``sendOneWay(_:)``.
    @discardableResult
    public func sendOneWay(_ message: Message, to queue: MessageQueue) async throws(MQClientError) -> String {
        try checkTopic(of: message, queue)
        return try await sendOneWay(try outgoing(message), to: queue)
    }

    /// Sends a message that was received once more to its topic. It gets a new id, and keeps what its producer gave it:
    /// body, tag, keys, own properties and flag.
    ///
    /// - Throws: ``MQClientError/Code/invalidMessage`` for one that is ``ReceivedMessage/unreadable``; as
    ///   ``send(_:)-(Message)``.
    public func resend(_ received: ReceivedMessage) async throws(MQClientError) -> SendReceipt {
        if let reason = received.unreadable {
            throw MQClientError(.invalidMessage, "Message \(received.messageID) cannot be read: \(reason)")
        }
        var message = Message(topic: received.topic, body: received.body)
        message.tag = received.tag
        message.keys = received.keys
        // What brokers and clients noted on the message would be taken as wishes: to be a half message, to wait.
        message.properties = received.properties.dictionary.filter { name, _ in !PropertyName.isReserved(name) }
        message.flag = received.flag
        return try await send(message)
    }

    /// Queues that messages of a topic can be sent to, brokers in order of name.
    ///
    /// - Throws: ``MQClientError/Code/topicUnavailable`` when there are none.
    public func publishQueues(_ topic: String) async throws(MQClientError) -> [MessageQueue] {
        let now = configuration.time.now()
        let age = configuration.routeRefreshInterval
        let known = state.withLock { $0.routes.freshPublishQueues(topic, now: now, maximumAge: age) }
        if let known, !known.isEmpty { return known }
        let queues = try await publishRoute(topic).publishQueues(topic: topic)
        guard !queues.isEmpty else {
            throw MQClientError(
                .topicUnavailable,
                "No broker takes messages for \(topic): each is read-only or without a master; "
                    + "see mqadmin topicRoute -t \(topic)."
            )
        }
        return queues
    }

    /// The queue of the messages with this key, as RocketMQ's hash selector chooses it.
    func queue(of topic: String, key: String) async throws(MQClientError) -> MessageQueue {
        let queues = try await publishQueues(topic)
        let hash = Int64(javaHash(key))
        return queues[Int(abs(hash % Int64(queues.count)))]
    }

    private func outgoing(_ message: Message) throws(MQClientError) -> OutgoingSend {
        OutgoingSend(
            message, try message.encoded(ids: ids, configuration: configuration), group: configuration.producerGroup)
    }

    private func checkTopic(of message: Message, _ queue: MessageQueue) throws(MQClientError) {
        guard queue.topic == message.topic else {
            throw MQClientError(
                .invalidMessage,
                "The message's topic is \(message.topic), the queue's \(queue.topic): they must be equal.")
        }
    }
}
