import ArgumentParser
import MQClient

struct QueryMsgByUniqueKey: AdminCommand {
    static let configuration = CommandConfiguration(
        commandName: "queryMsgByUniqueKey", abstract: "Query Message by Unique key.")

    @OptionGroup var common: CommonOptions

    @Option(name: [.customShort("i"), .customLong("msgId")], help: "The id given by the producer.")
    var id: String

    @Option(name: [.customShort("t"), .customLong("topic")], help: "Topic name.")
    var topic: String

    @Option(name: [.customShort("g"), .customLong("consumerGroup")], help: "Group to push the message to.")
    var group: String?

    @Option(name: [.customShort("d"), .customLong("clientId")], help: "Member of the group to push it to.")
    var clientID: String?

    @Flag(name: [.customShort("a"), .customLong("showAll")], help: "All messages with the id, not only the newest.")
    var showsAll = false

    func validate() throws {
        guard (group == nil) == (clientID == nil) else {
            throw ValidationError("Pushing a message needs both -g group and -d client id.")
        }
    }

    func run(_ client: MQClient) async throws {
        let messages = try await client.messages(topic: topic, uniqueID: id)
        for message in showsAll ? messages[...] : messages.prefix(1) {
            if let group, let clientID {
                Console.print(try await client.consumeDirectly(message, group: group, clientID: clientID))
            } else {
                try await MessageDetail.show(message, client: client)
            }
        }
    }
}
