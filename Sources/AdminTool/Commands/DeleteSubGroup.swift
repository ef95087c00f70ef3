import ArgumentParser
import MQClient
import MQProtocol

struct DeleteSubGroup: AdminCommand {
    static let configuration = CommandConfiguration(
        commandName: "deleteSubGroup", abstract: "Delete subscription group from broker.",
        discussion: "With -c its retry and dead-letter topics go too. Give -r true when the group is gone for good: "
            + "offsets that stay behind count as messages that somebody still wants.")

    @OptionGroup var common: CommonOptions
    @OptionGroup var target: BrokerOrCluster

    @Option(name: [.customShort("g"), .customLong("groupName")], help: "Consumer group.")
    var group: String

    @Option(
        name: [.customShort("r"), .customLong("removeOffset")],
        help: "Also forget how far the group was: true or false.")
    var removesOffsets = false

    func run(_ client: MQClient) async throws {
        let isBroker = target.broker != nil
        for address in try await target.masters(client) {
            try await client.deleteGroup(group, onBroker: address, removingOffsets: removesOffsets)
            let place = isBroker ? "" : " in cluster [\(target.cluster ?? "")]"
            Console.print("delete subscription group [\(group)] from broker [\(address)]\(place) success.")
        }
        guard !isBroker, let cluster = target.cluster else { return }
        for topic in [TopicName.retry(group: group), TopicName.deadLetter(group: group)] {
            try await client.deleteTopic(topic, inCluster: cluster)
            Console.print("delete topic [\(topic)] from cluster [\(cluster)] success.")
        }
    }
}
