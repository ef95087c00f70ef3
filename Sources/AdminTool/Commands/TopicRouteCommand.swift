import ArgumentParser
import MQClient

struct TopicRouteCommand: AdminCommand {
    static let configuration = CommandConfiguration(
        commandName: "topicRoute", abstract: "Examine topic route info.")

    @OptionGroup var common: CommonOptions

    @Option(name: [.customShort("t"), .customLong("topic")], help: "Topic name.")
    var topic: String

    @Flag(name: [.customShort("l"), .customLong("list")], help: "As a list instead of JSON.")
    var list = false

    func run(_ client: MQClient) async throws {
        let route = try await client.topicRoute(topic)
        guard list else {
            Console.print(try RouteJSON.render(route))
            return
        }
        let columns = Columns(45, 32, 50, 10, 11, 5)
        Console.print(
            columns.line("#ClusterName", "#BrokerName", "#BrokerAddrs", "#ReadQueue", "#WriteQueue", "#Perm"))
        for queues in route.queues.sorted(by: { $0.brokerName < $1.brokerName }) {
            let broker = route.broker(named: queues.brokerName)
            let addresses = (broker?.addresses ?? [:]).sorted { $0.key < $1.key }.map { "\($0)=\($1)" }
            Console.print(
                columns.line(
                    broker?.cluster ?? "", queues.brokerName, "{\(addresses.joined(separator: ", "))}",
                    String(queues.readQueues), String(queues.writeQueues), String(queues.permission.rawValue)))
        }
        let reads = route.queues.reduce(0) { $0 + Int($1.readQueues) }
        let writes = route.queues.reduce(0) { $0 + Int($1.writeQueues) }
        Console.print(columns.line("Total:", String(route.queues.count), "", String(reads), String(writes), ""))
    }
}
