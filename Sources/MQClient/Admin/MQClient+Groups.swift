public import MQProtocol
import NIOCore

extension MQClient {
    /// Creates a consumer group at a broker, or replaces its settings.
    public func createGroup(_ group: GroupConfiguration, onBroker address: String) async throws(MQClientError) {
        let body = SubscriptionGroupConfig(group).encode()
        try await successfulRequest(to: address, .updateAndCreateSubscriptionGroup, body: body)
    }

    /// Creates a consumer group at every master of a cluster, or replaces its settings there.
    public func createGroup(_ group: GroupConfiguration, inCluster cluster: String) async throws(MQClientError) {
        for address in try await clusterTopology().masters(ofCluster: cluster) {
            try await createGroup(group, onBroker: address)
        }
    }

    /// Deletes a consumer group's settings at a broker.
    ///
    /// - Parameter removingOffsets: also how far it was. What stays keeps a broker that retains what is not consumed
    ///   from deleting.
    public func deleteGroup(
        _ group: String, onBroker address: String, removingOffsets: Bool
    ) async throws(MQClientError) {
        try await successfulRequest(
            to: address, .deleteSubscriptionGroup,
            header: DeleteGroupHeader(groupName: group, removesOffsets: removingOffsets))
    }

    /// How far a group has come, on all its topics or on one.
    ///
    /// - Throws: ``MQClientError/Code/groupNotFound`` when no broker knows the group, or it has not consumed anything.
    public func consumerProgress(
        group: String, topic: String? = nil
    ) async throws(MQClientError) -> ConsumerProgress {
        var progress = ConsumerProgress(queues: [:], consumedPerSecond: 0)
        for broker in try await retryRoute(of: group).brokers {
            guard let address = broker.readable else { continue }
            let answer = try await successfulRequest(
                to: address, .getConsumeStats, header: ConsumeStatsHeader(consumerGroup: group, topic: topic),
                timeout: .seconds(15))
            let stats = try ConsumeStats.decode(answer.body, "consumer progress", from: address)
            progress.consumedPerSecond += stats.consumeTPS
            for entry in stats.entries {
                progress.queues[MessageQueue(entry.queue)] = ConsumerProgress.Queue(
                    brokerOffset: entry.brokerOffset.rawValue, consumerOffset: entry.consumerOffset.rawValue,
                    lastConsumed: entry.lastTimestamp)
            }
        }
        guard !progress.queues.isEmpty else {
            throw MQClientError(
                .groupNotFound, "The group \(group) has not consumed anything yet: check its name, or start a consumer."
            )
        }
        return progress
    }

    /// The live members of a group.
    ///
    /// - Throws: ``MQClientError/Code/consumerNotOnline`` when it has none.
    public func consumerConnections(group: String) async throws(MQClientError) -> ConsumerConnections {
        let addresses = try await retryRoute(of: group).brokers.compactMap(\.readable)
        for address in addresses {
            let answer = try await request(
                to: address, .getConsumerConnectionList, header: ConsumerGroupHeader(consumerGroup: group))
            if answer.responseCode == .consumerNotOnline { continue }
            guard answer.responseCode == .success else { throw MQClientError(refusal: answer, address: address) }
            return ConsumerConnections(try ConsumerConnection.decode(answer.body, "connections", from: address))
        }
        throw MQClientError(.consumerNotOnline, "No member of the group \(group) is online: start a consumer.")
    }

    /// Which client reads which queue of a group, where its members tell. Members that do not answer are left out.
    public func queueOwners(group: String) async -> [MessageQueue: String] {
        var owners: [MessageQueue: String] = [:]
        guard let connections = try? await consumerConnections(group: group),
            let address = try? await retryRoute(of: group).brokers.compactMap(\.readable).first
        else { return owners }
        for member in connections.members {
            let header = ConsumerRunningInfoHeader(consumerGroup: group, clientID: member.clientID)
            guard
                let answer = try? await successfulRequest(
                    to: address, .getConsumerRunningInfo, header: header, timeout: .seconds(15)),
                let info = try? ConsumerRunningInfo.decode(answer.body)
            else { continue }
            for queue in info.queues { owners[MessageQueue(queue)] = member.clientID }
        }
        return owners
    }

    /// Has one member of a group consume one message now.
    ///
    /// - Returns: what the member said, as RocketMQ's tools print it.
    public func consumeDirectly(
        _ message: ReceivedMessage, group: String, clientID: String
    ) async throws(MQClientError) -> String {
        let header = ConsumeDirectlyHeader(
            consumerGroup: group, clientID: clientID, messageID: message.offsetMessageID)
        let answer = try await successfulRequest(
            to: message.storeHost, .consumeMessageDirectly, header: header, timeout: .seconds(15))
        return String(buffer: answer.body)
    }

    /// Moves a group to the messages stored at `time`.
    ///
    /// The brokers tell the group's members. When none is online, the committed offsets are changed instead, which
    /// works only as long as nobody starts to consume.
    ///
    /// - Parameters:
    ///   - time: nil for the end: everything stored so far is skipped.
    ///   - force: also move queues forward whose offset is before that time.
    ///   - consumersAreNative: the members are C++ clients, which understand another form of the order only.
    public func resetOffsets(
        group: String, topic: String, to time: Timestamp?, force: Bool, consumersAreNative: Bool = false
    ) async throws(MQClientError) -> OffsetReset {
        let header = ResetOffsetHeader(
            topic: topic, group: group, timestamp: time ?? Timestamp(milliseconds: -1), isForced: force)
        var offsets: [MessageQueue: Int64] = [:]
        for broker in try await topicRoute(topic).brokers {
            guard let address = broker.readable else { continue }
            let answer = try await request(
                to: address, .invokeBrokerToResetOffset, header: header, timeout: .seconds(15))
            if answer.responseCode == .consumerNotOnline {
                return .byTool(try await moveCommittedOffsets(group: group, topic: topic, to: time, force: force))
            }
            guard answer.responseCode == .success else { throw MQClientError(refusal: answer, address: address) }
            for entry in try ResetOffsetBody.decode(answer.body, "new offsets", from: address).entries {
                offsets[MessageQueue(entry.queue)] = entry.offset.rawValue
            }
        }
        return .byBrokers(offsets)
    }

    private func moveCommittedOffsets(
        group: String, topic: String, to time: Timestamp?, force: Bool
    ) async throws(MQClientError) -> [OffsetReset.Move] {
        let progress = try await consumerProgress(group: group, topic: topic)
        var moves: [OffsetReset.Move] = []
        for (queue, status) in progress.queues.sorted(by: { $0.key < $1.key }) where queue.topic == topic {
            var target = try await maximumOffset(of: queue)
            if let time { target = try await offset(of: queue, at: time) }
            let newOffset = force || target <= status.consumerOffset ? target : status.consumerOffset
            try await setConsumerOffset(newOffset, of: queue, group: group)
            moves.append(
                OffsetReset.Move(
                    queue: queue, brokerOffset: status.brokerOffset, consumerOffset: status.consumerOffset,
                    timestampOffset: target, newOffset: newOffset))
        }
        return moves
    }

    /// A group is known wherever its retry topic is.
    private func retryRoute(of group: String) async throws(MQClientError) -> TopicRoute {
        do {
            return try await route(TopicName.retry(group: group))
        } catch {
            guard error.code == .topicNotFound else { throw error }
            throw MQClientError(
                .groupNotFound,
                "No broker knows the group \(group): it has never consumed. Check its name, or create it with "
                    + "mqadmin updateSubGroup.", cause: error)
        }
    }
}
