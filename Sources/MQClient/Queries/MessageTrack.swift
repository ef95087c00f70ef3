/// What a consumer group has made of a message.
public struct MessageTrack: Sendable, Hashable {
    /// Named as in RocketMQ.
    public enum State: String, Sendable {
        case consumed = "CONSUMED"
        /// The group's offset is behind it, but the group does not subscribe to its tag.
        case consumedButFiltered = "CONSUMED_BUT_FILTERED"
        /// The group pulls by itself: nobody knows.
        case pull = "PULL"
        case notConsumedYet = "NOT_CONSUME_YET"
        case notOnline = "NOT_ONLINE"
        case unknown = "UNKNOWN"
    }

    public var group: String
    public var state: State
}

extension MQClient {
    /// What each consumer group of a message's topic has made of it.
    public func tracks(of message: ReceivedMessage) async throws(MQClientError) -> [MessageTrack] {
        var tracks: [MessageTrack] = []
        for group in try await groups(consuming: message.topic) {
            tracks.append(MessageTrack(group: group, state: await state(of: message, group: group)))
        }
        return tracks
    }

    private func state(of message: ReceivedMessage, group: String) async -> MessageTrack.State {
        do {
            let connections = try await consumerConnections(group: group)
            if connections.consumeType == "CONSUME_ACTIVELY" { return .pull }
            let progress = try await consumerProgress(group: group, topic: message.topic)
            let broker = try await route(message.topic).brokers.first { $0.master == message.storeHost }
            let queue = progress.queues.first { queue, _ in
                queue.brokerName == broker?.name && queue.queueID == message.queueID && queue.topic == message.topic
            }
            guard let queue, queue.value.consumerOffset > message.queueOffset else { return .notConsumedYet }
            let tags = connections.subscriptions[message.topic]?.tags ?? []
            return tags.isEmpty || tags.contains(message.tag ?? "") ? .consumed : .consumedButFiltered
        } catch {
            return error.code == .consumerNotOnline ? .notOnline : .unknown
        }
    }
}
