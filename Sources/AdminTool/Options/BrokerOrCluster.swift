import ArgumentParser
import MQClient

/// `-b` for one broker, `-c` for all masters of a cluster.
struct BrokerOrCluster: ParsableArguments {
    @Option(name: [.customShort("b"), .customLong("brokerAddr")], help: "The broker's ip:port.")
    var broker: String?

    @Option(name: [.customShort("c"), .customLong("clusterName")], help: "A cluster, for all of its masters.")
    var cluster: String?

    func validate() throws {
        guard broker != nil || cluster != nil else {
            throw ValidationError("Give the broker with -b ip:port, or the cluster with -c name.")
        }
    }

    /// Addresses of the masters meant; `-b` wins.
    func masters(_ client: MQClient) async throws -> [String] {
        if let broker { return [broker] }
        guard let cluster else { return [] }
        return try await client.clusterTopology().masters(ofCluster: cluster)
    }

    /// Addresses of masters and slaves.
    func everyBroker(_ client: MQClient) async throws -> [String] {
        if let broker { return [broker] }
        guard let cluster else { return [] }
        return try await client.clusterTopology().brokers(ofCluster: cluster).flatMap { broker in
            broker.addresses.sorted { $0.key < $1.key }.map(\.value)
        }
    }
}
