import ArgumentParser
import MQClient

struct UpdateSubGroup: AdminCommand {
    static let configuration = CommandConfiguration(
        commandName: "updateSubGroup", abstract: "Update or create subscription group.")

    @OptionGroup var common: CommonOptions
    @OptionGroup var target: BrokerOrCluster

    @Option(name: [.customShort("g"), .customLong("groupName")], help: "Consumer group.")
    var group: String

    @Option(name: [.customShort("s"), .customLong("consumeEnable")], help: "May consume: true or false.")
    var mayConsume = true

    @Option(
        name: [.customShort("m"), .customLong("consumeFromMinEnable")],
        help: "May consume from the minimum offset: true or false.")
    var mayConsumeFromMinimum = false

    @Option(name: [.customShort("d"), .customLong("consumeBroadcastEnable")], help: "May broadcast: true or false.")
    var mayBroadcast = false

    @Option(name: [.customShort("q"), .customLong("retryQueueNums")], help: "Retry queues.")
    var retryQueues: Int32 = 1

    @Option(name: [.customShort("r"), .customLong("retryMaxTimes")], help: "Retries before a dead letter.")
    var maximumRetries: Int32 = 16

    @Option(name: [.customShort("i"), .customLong("brokerId")], help: "Broker to consume from.")
    var brokerID: Int64 = 0

    @Option(
        name: [.customShort("w"), .customLong("whichBrokerWhenConsumeSlowly")],
        help: "Broker to consume from when far behind.")
    var slowConsumerBrokerID: Int64 = 1

    @Option(
        name: [.customShort("a"), .customLong("notifyConsumerIdsChanged")],
        help: "Tell members about changes: true or false.")
    var notifiesMembers = true

    func run(_ client: MQClient) async throws {
        var configuration = GroupConfiguration(name: group)
        configuration.mayConsume = mayConsume
        configuration.mayConsumeFromMinimum = mayConsumeFromMinimum
        configuration.mayBroadcast = mayBroadcast
        configuration.retryQueues = retryQueues
        configuration.maximumRetries = maximumRetries
        configuration.brokerID = brokerID
        configuration.slowConsumerBrokerID = slowConsumerBrokerID
        configuration.notifiesMembers = notifiesMembers
        for address in try await target.masters(client) {
            try await client.createGroup(configuration, onBroker: address)
            Console.print("create subscription group to \(address) success.")
        }
        Console.print(text(of: configuration))
    }

    private func text(of group: GroupConfiguration) -> String {
        "SubscriptionGroupConfig [groupName=\(group.name), consumeEnable=\(group.mayConsume), "
            + "consumeFromMinEnable=\(group.mayConsumeFromMinimum), consumeBroadcastEnable=\(group.mayBroadcast), "
            + "retryQueueNums=\(group.retryQueues), retryMaxTimes=\(group.maximumRetries), brokerId=\(group.brokerID), "
            + "whichBrokerWhenConsumeSlowly=\(group.slowConsumerBrokerID), "
            + "notifyConsumerIdsChangedEnable=\(group.notifiesMembers)]"
    }
}
