import ArgumentParser
import MQClient

struct TopicList: AdminCommand {
    static let configuration = CommandConfiguration(
        commandName: "topicList", abstract: "Fetch all topic list from name server.")

    @OptionGroup var common: CommonOptions

    @Flag(name: [.customShort("c"), .customLong("clusterModel")], help: "With cluster and consumer groups.")
    var clusterModel = false

    func run(_ client: MQClient) async throws {
        let topics = try await client.topicNames().sorted()
        guard clusterModel else {
            topics.forEach(Console.print)
            return
        }
        let columns = Columns(20, 48, 48)
        Console.print(columns.line("#Cluster Name", "#Topic", "#Consumer Group"))
        for topic in topics where !topic.hasPrefix("%RETRY%") && !topic.hasPrefix("%DLQ%") {
            let cluster = try await cluster(of: topic, client)
            let groups = try await client.groups(consuming: topic)
            for group in groups.isEmpty ? [""] : groups {
                Console.print(columns.line(cluster, topic, group))
            }
        }
    }

    private func cluster(of topic: String, _ client: MQClient) async throws -> String {
        try await client.topicRoute(topic).brokers.first?.cluster ?? ""
    }
}
