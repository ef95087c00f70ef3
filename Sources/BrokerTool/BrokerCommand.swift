import ArgumentParser
import Foundation
import Logging
import MQBroker
import MQProtocol
import MQStore
import NIOCore
import NIOPosix
import ServiceLifecycle
import UnixSignals

/// RocketMQ's options, and two of ours.
struct BrokerCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mqbroker",
        abstract: "Stores messages and serves them.",
        discussion: "Listens on 127.0.0.1:10911 unless brokerIP1, bindAddress or --listen says otherwise."
    )

    @Option(
        name: [.customShort("n"), .customLong("namesrvAddr")],
        help: ArgumentHelp("Name servers, host:port;host:port.", valueName: "list")
    )
    var nameServerAddresses: String?

    @Option(
        name: [.customShort("c"), .customLong("configFile")],
        help: ArgumentHelp("Configuration, a RocketMQ properties file.", valueName: "file")
    )
    var configurationFile: String?

    @Flag(name: [.customShort("p"), .customLong("printConfigItem")], help: "Print all configuration items and exit.")
    var printsConfiguration = false

    @Flag(
        name: [.customShort("m"), .customLong("printImportantConfig")],
        help: "Print the important configuration items and exit."
    )
    var printsImportantConfiguration = false

    @Option(help: ArgumentHelp("Address to listen on; 0.0.0.0 lets every machine in.", valueName: "host"))
    var listen: String?

    @Option(help: ArgumentHelp("Store directory. Default: store in the home directory.", valueName: "directory"))
    var store: String?

    func serve() async throws {
        let logger = Logger(label: "mqbroker", factory: { StreamLogHandler.standardError(label: $0) })
        var (configuration, report) = try loadConfiguration()
        if printsConfiguration || printsImportantConfiguration {
            say(configuration.propertiesText(importantOnly: !printsConfiguration))
            return
        }
        // Before the store is opened, which keeps as many files open as this allows.
        OpenFileLimit.raise()
        try configuration.prepareToStart(interfaces: MachineAddresses.reachable())
        let group = MultiThreadedEventLoopGroup(numberOfThreads: System.coreCount)
        let service = try await BrokerService.start(configuration, group: group, logger: logger)
        // As RocketMQ does: who waits for the boot line finds the broker at its name servers.
        await service.registration.registerNow()
        BootReport(configuration: configuration, address: "\(service.registration.address)", properties: report).lines
            .forEach { say($0 + "\n") }
        try await run(service, logger)
        try await group.shutdownGracefully()
    }

    /// Until SIGTERM or SIGINT; the two lines are those that operators of RocketMQ look for.
    private func run(_ service: BrokerService, _ logger: Logger) async throws {
        let announcement = ShutdownAnnouncement(logger: logger)
        let services = ServiceGroup(
            services: [service, announcement],
            gracefulShutdownSignals: [.sigterm, .sigint],
            logger: logger
        )
        try await services.run()
        announcement.end()
    }

    private func loadConfiguration() throws -> (BrokerConfiguration, PropertiesReport) {
        var configuration = BrokerConfiguration()
        configuration.brokerName = MachineAddresses.brokerName
        configuration.storage.directory = NSHomeDirectory() + "/store"
        if let list = ProcessInfo.processInfo.environment["NAMESRV_ADDR"], !list.isEmpty {
            try configuration.setNameServers(list)
        }
        var report = PropertiesReport()
        if let configurationFile {
            report = try configuration.apply(try read(configurationFile), named: configurationFile)
            configuration.file = ConfigurationFile(path: configurationFile)
            if !printsConfiguration, !printsImportantConfiguration {
                say("load config properties file OK, \(configurationFile)\n")
            }
        }
        if let nameServerAddresses { try configuration.setNameServers(nameServerAddresses) }
        if let listen { configuration.network.listenHost = listen }
        if let store { configuration.storage.directory = store }
        return (configuration, report)
    }

    private func read(_ path: String) throws -> PropertiesFile {
        do {
            return PropertiesFile(parsing: try Data(contentsOf: URL(fileURLWithPath: path)))
        } catch {
            throw ConfigurationError(
                .unreadable, "cannot read \(path): name a readable file of key=value lines after -c"
            )
        }
    }

    /// Unbuffered, so that who waits for a line in a pipe sees it at once.
    private func say(_ text: String) {
        FileHandle.standardOutput.write(Data(text.utf8))
    }
}
