import ArgumentParser
import MQClient

struct QueryMsgByID: AdminCommand {
    static let configuration = CommandConfiguration(
        commandName: "queryMsgById", abstract: "Query Message by Id.")

    @OptionGroup var common: CommonOptions

    @Option(name: [.customShort("i"), .customLong("msgId")], help: "Message ids, separated by commas.")
    var ids: String

    @Option(name: [.customShort("g"), .customLong("consumerGroup")], help: "Group to push the message to.")
    var group: String?

    @Option(name: [.customShort("d"), .customLong("clientId")], help: "Member of the group to push it to.")
    var clientID: String?

    @Option(name: [.customShort("s"), .customLong("sendMessage")], help: "Send the message again: true or false.")
    var sendsAgain = false

    @Option(name: [.customShort("u"), .customLong("unitName")], help: "Accepted; units are not used here.")
    var unit: String?

    func validate() throws {
        guard (group == nil) == (clientID == nil) else {
            throw ValidationError("Pushing a message needs both -g group and -d client id.")
        }
    }

    func run(_ client: MQClient) async throws {
        for id in ids.split(separator: ",").map({ String($0.filter { !$0.isWhitespace }) }) {
            let message = try await client.message(offsetID: id)
            if let group, let clientID {
                let result = try await client.consumeDirectly(message, group: group, clientID: clientID)
                Console.print(result)
            } else if sendsAgain {
                let receipt = try await client.resend(message)
                Console.print("\(receipt.status.rawValue) \(receipt.messageID) \(receipt.queue)")
            } else {
                try await MessageDetail.show(message, client: client)
            }
        }
    }
}
