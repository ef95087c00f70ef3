import ArgumentParser
import Foundation
import Logging
import MQNameServer
import MQProtocol
import MQRemoting
import NIOCore
import NIOPosix
import ServiceLifecycle
import UnixSignals

/// RocketMQ's options, and one of ours.
struct NameServerCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mqnamesrv",
        abstract: "Tells clients which broker serves which topic.",
        discussion: "Listens on 127.0.0.1:9876 unless the configuration or --listen says otherwise."
    )

    @Option(
        name: [.customShort("n"), .customLong("namesrvAddr")],
        help: ArgumentHelp("Accepted for compatibility; has no effect.", valueName: "list")
    )
    var nameServerAddresses: String?

    @Option(
        name: [.customShort("c"), .customLong("configFile")],
        help: ArgumentHelp("Configuration, a Java properties file.", valueName: "file")
    )
    var configurationFile: String?

    @Flag(name: [.customShort("p"), .customLong("printConfigItem")], help: "Print all configuration items and exit.")
    var printsConfiguration = false

    @Option(help: ArgumentHelp("Address to listen on; 0.0.0.0 lets every machine in.", valueName: "host"))
    var listen: String?

    func serve() async throws {
        let logger = Logger(label: "mqnamesrv", factory: { StreamLogHandler.standardError(label: $0) })
        let configuration = try loadConfiguration(logger)
        if printsConfiguration {
            say(configuration.properties.text)
            return
        }
        let group = MultiThreadedEventLoopGroup(numberOfThreads: configuration.threads)
        let server = try NameServer(configuration, group: group, logger: logger)
        let address = try await server.start()
        say("The Name Server boot success. serializeType=JSON\n")
        say(Reachability(address: address, server: configuration.server).description + "\n")
        let services = ServiceGroup(
            services: [server],
            gracefulShutdownSignals: [.sigterm, .sigint],
            logger: logger
        )
        try await services.run()
        try await group.shutdownGracefully()
    }

    private func loadConfiguration(_ logger: Logger) throws -> NameServerConfiguration {
        var configuration = NameServerConfiguration()
        if let configurationFile {
            let properties = try read(configurationFile)
            for warning in try configuration.apply(properties) {
                logger.warning("\(configurationFile): \(warning)")
            }
            configuration.configurationFile = configurationFile
            say("load config properties file OK, \(configurationFile)\n")
        }
        if let listen {
            configuration.server.host = listen
        }
        try configuration.validate()
        return configuration
    }

    private func read(_ path: String) throws -> PropertiesFile {
        do {
            return PropertiesFile(parsing: try Data(contentsOf: URL(fileURLWithPath: path)))
        } catch {
            let message = "cannot read \(path): name a readable file of key=value lines after -c"
            throw NameServerError(.configuration, message, cause: error)
        }
    }

    /// Unbuffered, so that who waits for a line in a pipe sees it at once.
    private func say(_ text: String) {
        FileHandle.standardOutput.write(Data(text.utf8))
    }
}
