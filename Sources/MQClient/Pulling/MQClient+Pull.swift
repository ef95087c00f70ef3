public import MQProtocol
import NIOCore

extension MQClient {
    /// Reads messages of a queue without consuming them: nobody's offset moves.
    ///
    /// - Parameters:
    ///   - offset: of the first message wanted.
    ///   - maximumCount: messages at most; the broker may give fewer. Default: 32.
    ///   - tags: `*` or tags joined with `||`. Brokers compare hashes only: what they let through by accident is
    ///     removed here. Default: `*`.
    ///   - group: who is reading, for the broker's statistics. Default: `TOOLS_CONSUMER`, which every broker knows.
    ///   - wait: how long the broker may hold the request while there is nothing to give. Default: not at all.
    public func pull(
        _ queue: MessageQueue,
        from offset: Int64,
        maximumCount: Int = 32,
        tags: String = "*",
        group: String = "TOOLS_CONSUMER",
        waitingUpTo wait: Duration = .zero
    ) async throws(MQClientError) -> PullResult {
        let address = try await readableAddress(ofBroker: queue.brokerName, in: queue.topic)
        return try await pull(
            queue, from: offset, maximumCount: maximumCount, tags: tags, group: group, waitingUpTo: wait,
            by: .address(address))
    }

    func pull(
        _ queue: MessageQueue, from offset: Int64, maximumCount: Int, tags: String = "*", group: String,
        waitingUpTo wait: Duration = .zero, by path: RequestPath
    ) async throws(MQClientError) -> PullResult {
        let header = PullMessageHeader(
            consumerGroup: group,
            topic: queue.topic,
            queueID: queue.queueID,
            queueOffset: QueueOffset(rawValue: offset),
            maximumMessages: Int32(clamping: maximumCount),
            flags: wait > .zero ? [.suspend, .subscription] : [.subscription],
            suspendMilliseconds: wait.wholeMilliseconds,
            subscription: tags,
            brokerName: queue.brokerName
        )
        let answer = try await request(
            by: path, .pullMessage, header: header, timeout: configuration.requestTimeout + wait)
        guard let status = PullResult.Status(answer.responseCode) else {
            throw MQClientError(refusal: answer, address: path.address)
        }
        var result = PullResult(
            status: status,
            nextOffset: answer.fields.int64("nextBeginOffset") ?? offset,
            minimumOffset: answer.fields.int64("minOffset") ?? 0,
            maximumOffset: answer.fields.int64("maxOffset") ?? 0,
            messages: try ReceivedMessage.list(answer.body, brokerName: queue.brokerName, address: path.address)
        )
        let selection = TagSelection(tags)
        result.messages.removeAll { !selection.admits($0.tag) }
        result.messages.setQueueRange(from: answer)
        return result
    }

    /// Queues that messages of a topic can be read from, brokers in order of name.
    ///
    /// - Throws: ``MQClientError/Code/topicUnavailable`` when there are none.
    public func subscribeQueues(_ topic: String) async throws(MQClientError) -> [MessageQueue] {
        let queues = try await route(topic).subscribeQueues(topic: topic)
        guard !queues.isEmpty else {
            throw MQClientError(
                .topicUnavailable,
                "No broker lets \(topic) be read; see mqadmin topicRoute -t \(topic)."
            )
        }
        return queues
    }

    /// The offset of the first message the queue still has.
    public func minimumOffset(of queue: MessageQueue) async throws(MQClientError) -> Int64 {
        try await offset(.getMinOffset, QueueHeader(topic: queue.topic, queueID: queue.queueID), of: queue)
    }

    /// One more than the offset of the queue's last message.
    public func maximumOffset(of queue: MessageQueue) async throws(MQClientError) -> Int64 {
        try await offset(.getMaxOffset, QueueHeader(topic: queue.topic, queueID: queue.queueID), of: queue)
    }

    /// The offset of the message whose store time is nearest to `time`.
    public func offset(of queue: MessageQueue, at time: Timestamp) async throws(MQClientError) -> Int64 {
        let header = SearchOffsetHeader(topic: queue.topic, queueID: queue.queueID, timestamp: time)
        return try await offset(.searchOffsetByTimestamp, header, of: queue)
    }

    /// Where a group goes on in a queue; nil when it has not been there yet.
    public func consumerOffset(of queue: MessageQueue, group: String) async throws(MQClientError) -> Int64? {
        let address = try await master(ofBroker: queue.brokerName, in: queue.topic)
        let header = QueryConsumerOffsetHeader(consumerGroup: group, topic: queue.topic, queueID: queue.queueID)
        let answer = try await request(to: address, .queryConsumerOffset, header: header)
        switch answer.responseCode {
        case .success: return answer.fields.int64("offset")
        case .queryNotFound: return nil
        default: throw MQClientError(refusal: answer, address: address)
        }
    }

    /// Sets where a group goes on in a queue. Has an effect on consumers that are not running at the moment.
    public func setConsumerOffset(
        _ offset: Int64, of queue: MessageQueue, group: String
    ) async throws(MQClientError) {
        let address = try await master(ofBroker: queue.brokerName, in: queue.topic)
        try await setConsumerOffset(offset, of: queue, group: group, by: .address(address))
    }

    func setConsumerOffset(
        _ offset: Int64, of queue: MessageQueue, group: String, by path: RequestPath
    ) async throws(MQClientError) {
        let header = UpdateConsumerOffsetHeader(
            consumerGroup: group, topic: queue.topic, queueID: queue.queueID,
            commitOffset: QueueOffset(rawValue: offset))
        let answer = try await request(by: path, .updateConsumerOffset, header: header)
        guard answer.responseCode == .success else { throw MQClientError(refusal: answer, address: path.address) }
    }

    private func offset(
        _ code: RequestCode, _ header: some CommandHeader, of queue: MessageQueue
    ) async throws(MQClientError) -> Int64 {
        let address = try await master(ofBroker: queue.brokerName, in: queue.topic)
        let answer = try await successfulRequest(to: address, code, header: header)
        do {
            return try answer.fields.requiredInt64("offset")
        } catch {
            throw MQClientError(malformed: "offset", from: address, cause: error)
        }
    }
}

extension [ReceivedMessage] {
    /// - Parameter answer: to the pull that brought these messages.
    mutating func setQueueRange(from answer: Frame) {
        guard let minimum = answer.fields.int64("minOffset"), let maximum = answer.fields.int64("maxOffset"),
            minimum <= maximum
        else { return }
        for index in indices { self[index].queueRange = minimum..<maximum }
    }
}

extension PullResult.Status {
    fileprivate init?(_ code: ResponseCode) {
        switch code {
        case .success: self = .found
        case .pullNotFound: self = .noNewMessage
        case .pullRetryImmediately: self = .noMatchingMessage
        case .pullOffsetMoved: self = .offsetOutsideQueue
        default: return nil
        }
    }
}
