import ArgumentParser
import MQClient
import MQProtocol

struct TopicStatus: AdminCommand {
    static let configuration = CommandConfiguration(
        commandName: "topicStatus", abstract: "Examine topic Status info.")

    @OptionGroup var common: CommonOptions

    @Option(name: [.customShort("t"), .customLong("topic")], help: "Topic name.")
    var topic: String

    func run(_ client: MQClient) async throws {
        let statistics = try await client.topicStatistics(topic)
        let columns = Columns(32, 4, 20, 20, 0)
        Console.print(columns.line("#Broker Name", "#QID", "#Min Offset", "#Max Offset", "#Last Updated"))
        for (queue, status) in statistics.queues.sorted(by: { $0.key < $1.key }) {
            let updated = status.lastUpdate.milliseconds > 0 ? status.lastUpdate.localText : ""
            Console.print(
                columns.line(
                    queue.brokerName, String(queue.queueID), String(status.minimumOffset),
                    String(status.maximumOffset), updated))
        }
    }
}
