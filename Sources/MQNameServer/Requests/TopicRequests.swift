import MQProtocol

/// Routes, lists of topics, and forgetting a topic.
extension NameServerRequests {
    /// GET_ROUTEINFO_BY_TOPIC (105).
    func route(_ request: Frame) throws -> Answer {
        let header = try RouteHeader(request.fields)
        let topic = header.topic
        guard var route = registry.withRoutes({ $0.route(of: topic) }) else {
            throw Refusal(code: .topicNotExist, remark: "No topic route info in name server for the topic: \(topic)")
        }
        if registry.configuration.attachesOrderConfiguration {
            route.orderTopicConf = registry.keyValues.current
                .value(namespace: KeyValueTable.orderTopicNamespace, key: topic)
        }
        let isStandard =
            request.version >= ProtocolVersion.standardRouteJSON
            || header.acceptsOnlyStandardJSON == true
        return Answer(body: isStandard ? route.encodeStandard() : route.encode())
    }

    /// GET_BROKER_CLUSTER_INFO (106).
    func clusterInfo() -> Answer {
        Answer(body: registry.withRoutes { $0.clusterInfo() }.encode())
    }

    /// GET_ALL_TOPIC_LIST_FROM_NAMESERVER (206).
    func allTopics() -> Answer {
        list(registry.withRoutes { $0.allTopics() })
    }

    /// GET_TOPICS_BY_CLUSTER (224).
    func topicsOfCluster(_ request: Frame) throws -> Answer {
        let cluster = try ClusterHeader(request.fields).cluster
        return list(registry.withRoutes { $0.topics(ofCluster: cluster) })
    }

    /// GET_SYSTEM_TOPIC_LIST_FROM_NS (304): the topics that every broker creates for its cluster and itself.
    func systemTopics() -> Answer {
        let (names, address) = registry.withRoutes { ($0.clusterAndBrokerNames(), $0.anyBrokerAddress()) }
        return Answer(body: TopicList(topicList: names, brokerAddr: address).encode())
    }

    /// GET_UNIT_TOPIC_LIST (311), GET_HAS_UNIT_SUB_TOPIC_LIST (312), GET_HAS_UNIT_SUB_UNUNIT_TOPIC_LIST (313).
    func unitTopics(where isListed: @Sendable (RouteTable.Queues) -> Bool) -> Answer {
        list(registry.withRoutes { $0.topics(where: isListed) })
    }

    /// DELETE_TOPIC_IN_NAMESRV (216).
    func deleteTopic(_ request: Frame) throws -> Answer {
        let header = try DeleteTopicInNameServerHeader(request.fields)
        let cluster = header.clusterName.flatMap { $0.isEmpty ? nil : $0 }
        registry.withRoutes { $0.deleteTopic(header.topic, cluster: cluster) }
        return Answer()
    }

    private func list(_ topics: [String]) -> Answer {
        Answer(body: TopicList(topicList: topics, brokerAddr: nil).encode())
    }
}
