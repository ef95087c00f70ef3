import ArgumentParser
import MQClient

/// What every command takes.
struct CommonOptions: ParsableArguments {
    @Option(
        name: [.customShort("n"), .customLong("namesrvAddr")],
        help: "Name servers as host:port, separated by ; (default: the environment's NAMESRV_ADDR).")
    var nameServers: String?

    /// - Throws: ``MQClientError`` for a list that cannot be read, ``UsageError`` for none at all.
    func configuration() throws -> MQClientConfiguration {
        guard let text = nameServers ?? ProcessEnvironment.value("NAMESRV_ADDR") else {
            throw UsageError("No name server: give -n host:port or set NAMESRV_ADDR")
        }
        var configuration: MQClientConfiguration
        do {
            configuration = MQClientConfiguration(nameServers: try NameServerAddresses(text))
        } catch {
            throw UsageError(error.message)
        }
        configuration.requestTimeout = .seconds(5)
        configuration.producerGroup = "TOOLS_PRODUCER"
        return configuration
    }
}
