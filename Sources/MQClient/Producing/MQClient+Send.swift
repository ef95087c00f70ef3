import MQProtocol
import NIOCore
import Synchronization

extension MQClient {
    /// Sends a message to some queue of its topic and waits until the broker has stored it.
    ///
    /// Queues are taken in turn. After a failure another broker is tried, ``MQClientConfiguration/sendAttempts`` in
    /// all: when the failure was a lost answer, the message may then be stored twice.
    ///
    /// - Throws: ``MQClientError``: ``MQClientError/Code/topicNotFound``, ``MQClientError/Code/topicUnavailable``,
    ///   ``MQClientError/Code/invalidMessage``, ``MQClientError/Code/refused`` or the last attempt's error.
    public func send(_ message: Message) async throws(MQClientError) -> SendReceipt {
        let draft = try message.encoded(ids: ids, configuration: configuration)
        return try await sendToSomeQueue(OutgoingSend(message, draft))
    }

    /// Sends messages of one topic in one request, to one queue, next to each other.
    ///
    /// All of them are stored, or none. They cannot be delayed and are not compressed.
    ///
    /// - Throws: as ``send(_:)-(Message)``.
    public func send(_ messages: [Message]) async throws(MQClientError) -> SendReceipt {
        try await sendToSomeQueue(try batch(messages))
    }

    /// Sends a message to the queue that belongs to `key`: messages with the same key stay in order while the number of
    /// queues does not change. Java producers that select by the key's hash choose the same queue.
    ///
    /// There is one attempt only: another queue would break the order.
    public func send(_ message: Message, orderedBy key: String) async throws(MQClientError) -> SendReceipt {
        let draft = try message.encoded(ids: ids, configuration: configuration)
        let queues = try await publishQueues(message.topic)
        let hash = Int64(javaHash(key))
        let queue = queues[Int(abs(hash % Int64(queues.count)))]
        return try await send(OutgoingSend(message, draft), to: queue)
    }

    /// Sends a message to one queue. There is one attempt only.
    public func send(_ message: Message, to queue: MessageQueue) async throws(MQClientError) -> SendReceipt {
        guard queue.topic == message.topic else {
            throw MQClientError(
                .invalidMessage,
                "The message's topic is \(message.topic), the queue's \(queue.topic): they must be equal.")
        }
        let draft = try message.encoded(ids: ids, configuration: configuration)
        return try await send(OutgoingSend(message, draft), to: queue)
    }

    /// Sends a message that was received, as it is, to its topic once more. It gets a new id.
    public func resend(_ received: ReceivedMessage) async throws(MQClientError) -> SendReceipt {
        var message = Message(topic: received.topic, body: received.body)
        message.properties = received.properties.dictionary
        message.flag = received.flag
        return try await send(message)
    }

    /// Queues that messages of a topic can be sent to, brokers in order of name.
    ///
    /// - Throws: ``MQClientError/Code/topicUnavailable`` when there are none.
    public func publishQueues(_ topic: String) async throws(MQClientError) -> [MessageQueue] {
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

    private func sendToSomeQueue(_ outgoing: OutgoingSend) async throws(MQClientError) -> SendReceipt {
        let queues = try await publishQueues(outgoing.topic)
        var failed: MQClientError?
        var failedBroker: String?
        for _ in 0..<max(1, configuration.sendAttempts) {
            let queue = nextQueue(queues, avoiding: failedBroker)
            do {
                return try await send(outgoing, to: queue)
            } catch {
                guard error.isRetriable else { throw error }
                failed = error
                failedBroker = queue.brokerName
            }
        }
        throw failed ?? MQClientError(.topicUnavailable, "No queue of \(outgoing.topic) was tried.")
    }

    private func nextQueue(_ queues: [MessageQueue], avoiding broker: String?) -> MessageQueue {
        let others = queues.filter { $0.brokerName != broker }
        let candidates = others.isEmpty ? queues : others
        let turn = state.withLock { state in
            state.rotation = (state.rotation + 1) % Int(Int32.max)
            return state.rotation
        }
        return candidates[turn % candidates.count]
    }

    private func send(_ outgoing: OutgoingSend, to queue: MessageQueue) async throws(MQClientError) -> SendReceipt {
        let address = try await master(ofBroker: queue.brokerName, in: queue.topic)
        let header = outgoing.header(queue: queue, configuration: configuration)
        let code: RequestCode = outgoing.isBatch ? .sendBatchMessage : .sendMessageV2
        let answer = try await request(to: address, code, header: header, body: outgoing.body)
        guard let status = SendReceipt.Status(answer.responseCode) else {
            throw MQClientError(refusal: answer, address: address)
        }
        return SendReceipt(
            status: status,
            messageID: outgoing.messageID,
            offsetMessageID: answer.fields.string("msgId") ?? "",
            queue: MessageQueue(
                topic: queue.topic, brokerName: queue.brokerName,
                queueID: answer.fields.int32("queueId") ?? queue.queueID),
            queueOffset: answer.fields.int64("queueOffset") ?? -1,
            brokerAddress: address
        )
    }

    private func batch(_ messages: [Message]) throws(MQClientError) -> OutgoingSend {
        guard let first = messages.first else { throw MQClientError(.invalidMessage, "A batch needs a message.") }
        var body = ByteBuffer()
        var identifiers: [String] = []
        for message in messages {
            guard message.topic == first.topic else {
                throw MQClientError(.invalidMessage, "A batch has one topic, not \(first.topic) and \(message.topic).")
            }
            guard message.delay == .none else {
                throw MQClientError(.invalidMessage, "A message of a batch cannot be delayed: send it by itself.")
            }
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
            topic: first.topic, body: body, properties: MessageProperties(), sysFlag: SysFlag(rawValue: 0), flag: 0,
            messageID: identifiers.joined(separator: ","), isBatch: true)
    }
}

extension SendReceipt.Status {
    /// Nil for an answer that means the message was not stored.
    init?(_ code: ResponseCode) {
        switch code {
        case .success: self = .stored
        case .flushDiskTimeout: self = .flushTimedOut
        case .flushSlaveTimeout: self = .replicationTimedOut
        case .slaveNotAvailable: self = .slaveUnavailable
        default: return nil
        }
    }
}
