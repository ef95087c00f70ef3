import MQProtocol

/// What is read from the table. Lists are sorted, so that equal tables give equal answers.
extension RouteTable {
    /// - Returns: `nil` when no registered broker serves the topic.
    func route(of topic: String) -> TopicRouteData? {
        guard let queues = topics[topic], !queues.isEmpty else { return nil }
        let names = queues.keys.sorted()
        let brokers = names.compactMap { brokerData($0) }
        guard !brokers.isEmpty else { return nil }
        let addresses = brokers.flatMap(\.brokerAddrs.values)
        return TopicRouteData(
            queueDatas: names.compactMap { name in queues[name].map { queueData($0, brokerName: name) } },
            brokerDatas: brokers,
            filterServerTable: filterServers.filter { addresses.contains($0.key) }
        )
    }

    func clusterInfo() -> ClusterInfo {
        let names = brokers.keys.sorted()
        return ClusterInfo(
            brokerAddrTable: Dictionary(
                uniqueKeysWithValues: names.compactMap { name in
                    brokerData(name).map { (name, $0) }
                }),
            clusterAddrTable: clusters.mapValues { $0.sorted() }
        )
    }

    func allTopics() -> [String] {
        topics.keys.sorted()
    }

    func topics(ofCluster cluster: String) -> [String] {
        let names = clusters[cluster] ?? []
        return topics.filter { $0.value.keys.contains { names.contains($0) } }.keys.sorted()
    }

    /// - Parameter isListed: asked for each broker that has the topic; one is enough.
    func topics(where isListed: (Queues) -> Bool) -> [String] {
        topics.filter { $0.value.values.contains(where: isListed) }.keys.sorted()
    }

    func clusterAndBrokerNames() -> [String] {
        clusters.keys.sorted() + brokers.keys.sorted()
    }

    /// The address of some broker, of a master if there is one.
    func anyBrokerAddress() -> String? {
        for name in brokers.keys.sorted() {
            if let address = brokers[name]?.addresses.min(by: { $0.key < $1.key })?.value {
                return address
            }
        }
        return nil
    }

    private func brokerData(_ name: String) -> BrokerData? {
        brokers[name].map { BrokerData(cluster: $0.cluster, brokerName: name, brokerAddrs: $0.addresses) }
    }

    private func queueData(_ queues: Queues, brokerName: String) -> QueueData {
        QueueData(
            brokerName: brokerName,
            readQueueNums: queues.readQueues,
            writeQueueNums: queues.writeQueues,
            perm: queues.permission,
            topicSysFlag: queues.systemFlag
        )
    }
}

extension RouteTable.Queues {
    var isUnit: Bool { systemFlag & 1 != 0 }
    var isSubscribedByUnits: Bool { systemFlag & 2 != 0 }
}
