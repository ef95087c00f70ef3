import ArgumentParser
import MQClient

struct BrokerStatus: AdminCommand {
    static let configuration = CommandConfiguration(
        commandName: "brokerStatus", abstract: "Fetch broker runtime status data.")

    @OptionGroup var common: CommonOptions
    @OptionGroup var target: BrokerOrCluster

    func run(_ client: MQClient) async throws {
        for address in try await target.everyBroker(client) {
            let prefix = target.broker == nil ? address.padded(to: 24) + " " : ""
            let information = try await client.runtimeInformation(ofBroker: address)
            for (key, value) in information.sorted(by: { $0.key < $1.key }) {
                Console.print("\(prefix)\(key.padded(to: 32)): \(value)")
            }
        }
    }
}
