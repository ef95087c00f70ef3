import ArgumentParser
import MQClient

struct UpdateTopic: AdminCommand {
    static let configuration = CommandConfiguration(
        commandName: "updateTopic", abstract: "Update or create topic.")

    @OptionGroup var common: CommonOptions
    @OptionGroup var target: BrokerOrCluster

    @Option(name: [.customShort("t"), .customLong("topic")], help: "Topic name.")
    var topic: String

    @Option(name: [.customShort("r"), .customLong("readQueueNums")], help: "Read queues.")
    var readQueues: Int32 = 8

    @Option(name: [.customShort("w"), .customLong("writeQueueNums")], help: "Write queues.")
    var writeQueues: Int32 = 8

    @Option(name: [.customShort("p"), .customLong("perm")], help: "Permission: 2 write, 4 read, 6 both.")
    var permission: Int32 = 6

    @Option(name: [.customShort("o"), .customLong("order")], help: "Ordered topic: true or false.")
    var order = false

    @Option(name: [.customShort("u"), .customLong("unit")], help: "Unit topic: true or false.")
    var unit = false

    @Option(name: [.customShort("s"), .customLong("hasUnitSub")], help: "Has a unit subscription: true or false.")
    var hasUnitSubscription = false

    func validate() throws {
        guard (1...7).contains(permission) else {
            throw ValidationError("The permission \(permission) is not 2, 4 or 6.")
        }
        guard readQueues > 0, writeQueues > 0 else {
            throw ValidationError("A topic needs at least one read and one write queue.")
        }
    }

    func run(_ client: MQClient) async throws {
        let topic = TopicConfiguration(
            name: topic, readQueues: readQueues, writeQueues: writeQueues,
            permission: TopicPermission(rawValue: permission),
            systemFlag: (unit ? 1 : 0) | (hasUnitSubscription ? 2 : 0), isOrdered: order)
        for address in try await target.masters(client) {
            try await client.createTopic(topic, onBroker: address)
            Console.print("create topic to \(address) success.")
        }
        if order { try await writeOrder(client) }
        Console.print(text(of: topic))
    }

    /// Tells the name servers which broker has how many queues of an ordered topic.
    private func writeOrder(_ client: MQClient) async throws {
        let topology = try await client.clusterTopology()
        let items: [String]
        let scope: String
        if let address = target.broker {
            guard let broker = topology.brokersByName.values.first(where: { $0.addresses.values.contains(address) })
            else { throw AdminError("No broker at \(address) is registered; see mqadmin clusterList.") }
            let old = try await client.value(namespace: orderNamespace, key: topic) ?? ""
            let others = old.split(separator: ";").map(String.init).filter { !$0.hasPrefix(broker.name + ":") }
            items = others + ["\(broker.name):\(writeQueues)"]
            scope = "broker"
        } else {
            items = try topology.brokers(ofCluster: target.cluster ?? "").map { "\($0.name):\(writeQueues)" }
            scope = "cluster"
        }
        let value = items.joined(separator: ";")
        try await client.setValue(value, namespace: orderNamespace, key: topic)
        Console.print("set \(scope) orderConf. isOrder=true, orderConf=[\(value)]")
    }

    private var orderNamespace: String { "ORDER_TOPIC_CONFIG" }

    private func text(of topic: TopicConfiguration) -> String {
        "TopicConfig [topicName=\(topic.name), readQueueNums=\(topic.readQueues), writeQueueNums=\(topic.writeQueues), "
            + "perm=\(topic.permission), topicFilterType=SINGLE_TAG, topicSysFlag=\(topic.systemFlag), "
            + "order=\(topic.isOrdered)]"
    }
}
