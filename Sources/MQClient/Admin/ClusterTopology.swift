/// The clusters and brokers that the name servers know.
public struct ClusterTopology: Sendable, Hashable {
    /// Broker names by cluster, both in order of name.
    public var clusters: [(name: String, brokerNames: [String])] {
        clusterNames.map { name in (name, (brokerNamesByCluster[name] ?? []).sorted()) }
    }

    public var brokerNamesByCluster: [String: [String]]
    public var brokersByName: [String: TopicRoute.Broker]

    public init(brokerNamesByCluster: [String: [String]], brokersByName: [String: TopicRoute.Broker]) {
        self.brokerNamesByCluster = brokerNamesByCluster
        self.brokersByName = brokersByName
    }

    public var clusterNames: [String] {
        brokerNamesByCluster.keys.sorted()
    }

    /// Brokers of a cluster in order of name.
    ///
    /// - Throws: ``MQClientError`` with ``MQClientError/Code/brokerUnknown``.
    public func brokers(ofCluster name: String) throws(MQClientError) -> [TopicRoute.Broker] {
        guard let names = brokerNamesByCluster[name] else {
            let known =
                clusterNames.isEmpty ? "no cluster is registered" : "known: \(clusterNames.joined(separator: ", "))"
            throw MQClientError(.brokerUnknown, "There is no cluster \(name) (\(known)); see mqadmin clusterList.")
        }
        return names.sorted().compactMap { brokersByName[$0] }
    }

    /// Addresses of the masters of a cluster, in order of broker name.
    ///
    /// - Throws: ``MQClientError`` with ``MQClientError/Code/brokerUnknown``.
    public func masters(ofCluster name: String) throws(MQClientError) -> [String] {
        let masters = try brokers(ofCluster: name).compactMap(\.master)
        guard !masters.isEmpty else {
            throw MQClientError(.brokerUnknown, "Cluster \(name) has no master at the moment: start its mqbroker.")
        }
        return masters
    }
}
