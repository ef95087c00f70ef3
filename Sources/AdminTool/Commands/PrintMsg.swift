import ArgumentParser
import MQClient

struct PrintMsg: AdminCommand {
    static let configuration = CommandConfiguration(
        commandName: "printMsg", abstract: "Print Message Detail.")

    @OptionGroup var common: CommonOptions

    @Option(name: [.customShort("t"), .customLong("topic")], help: "Topic name.")
    var topic: String

    @Option(name: [.customShort("c"), .customLong("charsetName")], help: "Accepted; bodies are printed as UTF-8.")
    var charset = "UTF-8"

    @Option(name: [.customShort("s"), .customLong("subExpression")], help: "Tags, such as TagA || TagB.")
    var tags = "*"

    @Option(
        name: [.customShort("b"), .customLong("beginTimestamp")],
        help: "From this store time on: ms or yyyy-MM-dd#HH:mm:ss:SSS.")
    var begin: TimeArgument?

    @Option(name: [.customShort("e"), .customLong("endTimestamp")], help: "Up to this store time.")
    var end: TimeArgument?

    @Option(name: [.customShort("d"), .customLong("printBody")], help: "Print bodies: true or false.")
    var printsBody = true

    func run(_ client: MQClient) async throws {
        let reader = QueueReader(client: client, tags: tags)
        for queue in try await client.subscribeQueues(topic) {
            let range = try await reader.range(of: queue, from: begin?.timestamp, to: end?.timestamp)
            Console.print("minOffset=\(range.lowerBound), maxOffset=\(range.upperBound), \(queue)")
            let (status, offset) = try await reader.read(queue, range) { message in
                Console.print(MessageDetail.line(message, showsBody: printsBody))
                return true
            }
            Console.print("\(queue) print msg finished. status=\(status.rawValue), offset=\(offset)")
        }
    }
}
