import ArgumentParser
import MQClient
import MQProtocol

struct ConsumerProgressCommand: AdminCommand {
    static let configuration = CommandConfiguration(
        commandName: "consumerProgress", abstract: "Query consumers's progress, speed.")

    @OptionGroup var common: CommonOptions

    @Option(name: [.customShort("g"), .customLong("groupName")], help: "Consumer group; all groups without it.")
    var group: String?

    @Option(
        name: [.customShort("s"), .customLong("showClientIP")], help: "Show which client has a queue: true or false.")
    var showsClients = false

    func run(_ client: MQClient) async throws {
        if let group {
            try await show(group, client)
        } else {
            try await showAll(client)
        }
    }

    private func show(_ group: String, _ client: MQClient) async throws {
        let progress = try await client.consumerProgress(group: group)
        let owners = showsClients ? await client.queueOwners(group: group) : [:]
        let columns = showsClients ? Columns(64, 32, 4, 20, 20, 20, 20, 0) : Columns(64, 32, 4, 20, 20, 20, 0)
        func show(_ cells: [String], owner: String, _ rest: [String]) {
            let all = cells + (showsClients ? [owner] : []) + rest
            Console.print(columns.line(all))
        }
        show(
            ["#Topic", "#Broker Name", "#QID", "#Broker Offset", "#Consumer Offset"], owner: "#Client IP",
            ["#Diff", "#LastTime"])
        for (queue, status) in progress.queues.sorted(by: { $0.key < $1.key }) {
            let last = status.lastConsumed.milliseconds > 0 ? status.lastConsumed.localText : "N/A"
            show(
                [
                    queue.topic, queue.brokerName, String(queue.queueID), String(status.brokerOffset),
                    String(status.consumerOffset),
                ],
                owner: Self.address(of: owners[queue]) ?? "N/A", [String(status.lag), last])
        }
        Console.print("")
        Console.print("Consume TPS: \(progress.consumedPerSecond.text(places: 2))")
        Console.print("Diff Total: \(progress.totalLag)")
    }

    /// A client id begins with the client's address.
    private static func address(of clientID: String?) -> String? {
        clientID.map { String($0.prefix { $0 != "@" }) }
    }

    private func showAll(_ client: MQClient) async throws {
        let columns = Columns(64, 6, 24, 5, 14, 7, 0)
        Console.print(columns.line("#Group", "#Count", "#Version", "#Type", "#Model", "#TPS", "#Diff Total"))
        for topic in try await client.topicNames().sorted() where topic.hasPrefix("%RETRY%") {
            let group = String(topic.dropFirst("%RETRY%".count))
            let progress = try? await client.consumerProgress(group: group)
            let connections = try? await client.consumerConnections(group: group)
            let version = connections?.members.map(\.version).min()
            Console.print(
                columns.line(
                    group,
                    String(connections?.members.count ?? 0),
                    version.map(ProtocolVersionName.text) ?? "OFFLINE",
                    connections.map { $0.consumeType == "CONSUME_ACTIVELY" ? "PULL" : "PUSH" } ?? "",
                    connections?.messageModel ?? "",
                    (progress?.consumedPerSecond ?? 0).text(places: 2),
                    String(progress?.totalLag ?? 0)))
        }
    }
}
