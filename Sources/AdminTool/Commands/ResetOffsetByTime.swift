import ArgumentParser
import MQClient
import MQProtocol

struct ResetOffsetByTime: AdminCommand {
    static let configuration = CommandConfiguration(
        commandName: "resetOffsetByTime", abstract: "Reset consumer offset by timestamp (without client restart).")

    @OptionGroup var common: CommonOptions

    @Option(name: [.customShort("g"), .customLong("group")], help: "Consumer group.")
    var group: String

    @Option(name: [.customShort("t"), .customLong("topic")], help: "Topic name.")
    var topic: String

    @Option(
        name: [.customShort("s"), .customLong("timestamp")], parsing: .unconditional,
        help: "now, -1, ms, or yyyy-MM-dd#HH:mm:ss:SSS.")
    var time: TimeArgument

    @Option(name: [.customShort("f"), .customLong("force")], help: "Also move offsets forward: true or false.")
    var force = true

    @Flag(name: [.customShort("c"), .customLong("cplus")], help: "The consumers are C++ clients.")
    var areNative = false

    func run(_ client: MQClient) async throws {
        let milliseconds = time.timestamp?.milliseconds ?? -1
        let reset = try await client.resetOffsets(
            group: group, topic: topic, to: time.timestamp, force: force, consumersAreNative: areNative)
        Console.print(
            "rollback consumer offset by specified group[\(group)], topic[\(topic)], force[\(force)], "
                + "timestamp(string)[\(time.timestamp?.localText ?? "now")], timestamp(long)[\(milliseconds)]")
        switch reset {
        case .byBrokers(let offsets): show(offsets)
        case .byTool(let moves): show(moves)
        }
    }

    private func show(_ offsets: [MessageQueue: Int64]) {
        let columns = Columns(40, 40, 40)
        Console.print(columns.line("#brokerName", "#queueId", "#offset"))
        for (queue, offset) in offsets.sorted(by: { $0.key < $1.key }) {
            Console.print(columns.line(queue.brokerName, String(queue.queueID), String(offset)))
        }
    }

    /// The group was not online: the tool moved the committed offsets itself.
    private func show(_ moves: [OffsetReset.Move]) {
        let columns = Columns(20, 20, 20, 20, 20, 20)
        Console.print(
            columns.line(
                "#brokerName", "#queueId", "#brokerOffset", "#consumerOffset", "#timestampOffset", "#rollbackOffset"))
        for move in moves {
            Console.print(
                columns.line(
                    move.queue.brokerName, String(move.queue.queueID), String(move.brokerOffset),
                    String(move.consumerOffset), String(move.timestampOffset), String(move.newOffset)))
        }
    }
}
