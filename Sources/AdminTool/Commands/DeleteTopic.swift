import ArgumentParser
import MQClient

struct DeleteTopic: AdminCommand {
    static let configuration = CommandConfiguration(
        commandName: "deleteTopic", abstract: "Delete topic from broker and NameServer.")

    @OptionGroup var common: CommonOptions

    @Option(name: [.customShort("t"), .customLong("topic")], help: "Topic name.")
    var topic: String

    @Option(name: [.customShort("c"), .customLong("clusterName")], help: "The cluster to delete it from.")
    var cluster: String

    func run(_ client: MQClient) async throws {
        for address in try await client.clusterTopology().masters(ofCluster: cluster) {
            try await client.deleteTopic(topic, onBroker: address)
        }
        Console.print("delete topic [\(topic)] from cluster [\(cluster)] success.")
        try await client.deleteTopicFromNameServers(topic)
        Console.print("delete topic [\(topic)] from NameServer success.")
    }
}
