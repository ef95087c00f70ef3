import ArgumentParser
import MQClient

struct QueryMsgByKey: AdminCommand {
    static let configuration = CommandConfiguration(
        commandName: "queryMsgByKey", abstract: "Query Message by Key.")

    @OptionGroup var common: CommonOptions

    @Option(name: [.customShort("t"), .customLong("topic")], help: "Topic name.")
    var topic: String

    @Option(name: [.customShort("k"), .customLong("msgKey")], help: "Key of the message.")
    var key: String

    func run(_ client: MQClient) async throws {
        let messages = try await client.messages(topic: topic, key: key, maximumCount: 64)
        let columns = Columns(50, 4, 0)
        Console.print(columns.line("#Message ID", "#QID", "#Offset"))
        for message in messages {
            Console.print(columns.line(message.messageID, String(message.queueID), String(message.queueOffset)))
        }
    }
}
