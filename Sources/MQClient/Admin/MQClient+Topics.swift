import MQProtocol
import NIOCore
import Synchronization

extension MQClient {
    /// Creates a topic at a broker, or changes it.
    public func createTopic(_ topic: TopicConfiguration, onBroker address: String) async throws(MQClientError) {
        let header = CreateTopicHeader(
            topic: topic.name,
            readQueueCount: topic.readQueues,
            writeQueueCount: topic.writeQueues,
            permission: topic.permission.rawValue,
            topicSysFlag: topic.systemFlag,
            isOrdered: topic.isOrdered
        )
        try await successfulRequest(to: address, .updateAndCreateTopic, header: header)
        state.withLock { $0.routes.forget(topic.name) }
    }

    /// Creates a topic at every master of a cluster, or changes it there.
    public func createTopic(_ topic: TopicConfiguration, inCluster cluster: String) async throws(MQClientError) {
        for address in try await clusterTopology().masters(ofCluster: cluster) {
            try await createTopic(topic, onBroker: address)
        }
    }

    /// Deletes a topic with its messages at a broker; name servers still know it.
    public func deleteTopic(_ topic: String, onBroker address: String) async throws(MQClientError) {
        try await successfulRequest(to: address, .deleteTopicInBroker, header: TopicHeader(topic: topic))
        state.withLock { $0.routes.forget(topic) }
    }

    /// Makes every name server forget a topic's route.
    public func deleteTopicFromNameServers(_ topic: String) async throws(MQClientError) {
        try await atEveryNameServer(.deleteTopicInNameServer, header: DeleteTopicInNameServerHeader(topic: topic))
        state.withLock { $0.routes.forget(topic) }
    }

    /// Deletes a topic at every master of a cluster and from the name servers.
    public func deleteTopic(_ topic: String, inCluster cluster: String) async throws(MQClientError) {
        for address in try await clusterTopology().masters(ofCluster: cluster) {
            try await deleteTopic(topic, onBroker: address)
        }
        try await deleteTopicFromNameServers(topic)
    }

    /// Every topic the name servers know.
    public func topicNames() async throws(MQClientError) -> [String] {
        let (answer, address) = try await askNameServers(.getAllTopicListFromNameServer)
        guard answer.responseCode == .success else { throw MQClientError(refusal: answer, address: address) }
        return try TopicList.decode(answer.body, "topic list", from: address).topicList
    }

    /// How far the queues of a topic reach, at every broker.
    public func topicStatistics(_ topic: String) async throws(MQClientError) -> TopicStatistics {
        var statistics = TopicStatistics(queues: [:])
        for broker in try await topicRoute(topic).brokers {
            guard let address = broker.readable else { continue }
            let answer = try await successfulRequest(to: address, .getTopicStatsInfo, header: TopicHeader(topic: topic))
            let body = try TopicStatsTable.decode(answer.body, "topic statistics", from: address)
            for entry in body.entries {
                statistics.queues[MessageQueue(entry.queue)] = TopicStatistics.Queue(
                    minimumOffset: entry.minimumOffset.rawValue, maximumOffset: entry.maximumOffset.rawValue,
                    lastUpdate: entry.lastUpdate)
            }
        }
        return statistics
    }

    /// Groups that consume a topic.
    public func groups(consuming topic: String) async throws(MQClientError) -> [String] {
        guard let address = try await route(topic).brokers.compactMap(\.readable).first else { return [] }
        let answer = try await successfulRequest(
            to: address, .queryTopicConsumeByWho, header: TopicHeader(topic: topic))
        return try GroupList.decode(answer.body, "group list", from: address).groupList.sorted()
    }
}
