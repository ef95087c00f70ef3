import ArgumentParser
import MQClient

struct SendMessage: AdminCommand {
    static let configuration = CommandConfiguration(commandName: "sendMessage", abstract: "Send a message.")

    @OptionGroup var common: CommonOptions

    @Option(name: [.customShort("t"), .customLong("topic")], help: "Topic name.")
    var topic: String

    @Option(name: [.customShort("p"), .customLong("body")], help: "Body, as UTF-8.")
    var body: String

    @Option(name: [.customShort("k"), .customLong("key")], help: "Keys, separated by blanks.")
    var keys: String?

    @Option(name: [.customShort("c"), .customLong("tags")], help: "Tag.")
    var tag: String?

    @Option(name: [.customShort("b"), .customLong("broker")], help: "Broker name.")
    var broker: String?

    @Option(name: [.customShort("i"), .customLong("qid")], help: "Queue id; needs -b.")
    var queueID: Int32?

    @Option(
        name: [.customShort("m"), .customLong("msgTraceEnable")],
        help: "Accepted; traces are not written here.")
    var trace = false

    func validate() throws {
        guard broker == nil || queueID != nil, broker != nil || queueID == nil else {
            throw ValidationError("A queue is given with both -b broker name and -i queue id.")
        }
    }

    func run(_ client: MQClient) async throws {
        var message = Message(topic: topic, body: body)
        message.tag = tag
        message.keys = (keys ?? "").split(separator: " ").map(String.init)
        let receipt: SendReceipt
        if let broker, let queueID {
            let queue = MessageQueue(topic: topic, brokerName: broker, queueID: queueID)
            receipt = try await client.send(message, to: queue)
        } else {
            receipt = try await client.send(message)
        }
        let columns = Columns(32, 4, 20, 0)
        Console.print(columns.line("#Broker Name", "#QID", "#Send Result", "#MsgId"))
        Console.print(
            columns.line(
                receipt.queue.brokerName, String(receipt.queue.queueID), receipt.status.rawValue, receipt.messageID))
    }
}
