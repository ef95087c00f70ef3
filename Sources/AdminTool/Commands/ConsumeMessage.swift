import ArgumentParser
import MQClient

struct ConsumeMessage: AdminCommand {
    static let configuration = CommandConfiguration(
        commandName: "consumeMessage", abstract: "Consume message.")

    @OptionGroup var common: CommonOptions

    @Option(name: [.customShort("t"), .customLong("topic")], help: "Topic name.")
    var topic: String

    @Option(name: [.customShort("b"), .customLong("brokerName")], help: "Only this broker.")
    var broker: String?

    @Option(name: [.customShort("i"), .customLong("queueId")], help: "Only this queue; needs -b.")
    var queueID: Int32?

    @Option(name: [.customShort("o"), .customLong("offset")], help: "From this queue offset; needs -i.")
    var offset: Int64?

    @Option(name: [.customShort("g"), .customLong("consumerGroup")], help: "Group to pull as; its offsets stay.")
    var group = "TOOLS_CONSUMER"

    @Option(name: [.customShort("s"), .customLong("beginTimestamp")], help: "From this store time on.")
    var begin: TimeArgument?

    @Option(name: [.customShort("e"), .customLong("endTimestamp")], help: "Up to this store time.")
    var end: TimeArgument?

    @Option(name: [.customShort("c"), .customLong("MessageNumber")], help: "Messages to show at most.")
    var count = 128

    func validate() throws {
        guard queueID == nil || broker != nil else { throw ValidationError("-i needs the broker name with -b.") }
        guard offset == nil || queueID != nil else { throw ValidationError("-o needs the queue with -b and -i.") }
        guard count > 0 else { throw ValidationError("-c must be at least 1.") }
    }

    func run(_ client: MQClient) async throws {
        let reader = QueueReader(client: client, group: group)
        var left = count
        for queue in try await queues(client) where left > 0 {
            var range = try await reader.range(of: queue, from: begin?.timestamp, to: end?.timestamp)
            if let offset { range = max(offset, range.lowerBound)..<max(offset, range.upperBound) }
            _ = try await reader.read(queue, range) { message in
                Console.print("Consume ok")
                Console.print(MessageDetail.line(message, showsBody: true))
                left -= 1
                return left > 0
            }
        }
    }

    private func queues(_ client: MQClient) async throws -> [MessageQueue] {
        let all = try await client.subscribeQueues(topic)
        let chosen = all.filter { queue in
            (broker == nil || queue.brokerName == broker) && (queueID == nil || queue.queueID == queueID)
        }
        guard !chosen.isEmpty else {
            throw AdminError("The topic \(topic) has no such queue; see mqadmin topicRoute -t \(topic).")
        }
        return chosen
    }
}
