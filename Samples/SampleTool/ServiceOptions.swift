public import ArgumentParser
public import Escrow
import Foundation
public import GRDB
import Logging
import MQClient
public import ServiceLifecycle
public import ShopEvents
import UnixSignals

/// What every sample service is told when it runs alone.
public struct ServiceOptions: ParsableArguments {
    @Option(
        name: [.customShort("n"), .customLong("name-servers")],
        help: ArgumentHelp("The name servers of the cluster.", valueName: "host:port;..."))
    var nameServers: String

    @Option(help: ArgumentHelp("The service's database file; it is made when it is missing.", valueName: "file"))
    public var store: String

    @Option(help: "In front of every topic and group; services that talk to each other have the same (default: none).")
    var namespace: String?

    public init() {}

    public func configuration() throws -> EscrowConfiguration {
        var configuration = EscrowConfiguration.cluster(nameServers: try NameServerAddresses(nameServers))
        configuration.namespace = namespace
        configuration.logger = Self.logger
        return configuration
    }

    /// Opens the service's file, and makes what is missing in it.
    ///
    /// - Throws: ``UnusableStore``.
    public func open(_ tables: ServiceTables) throws -> DatabasePool {
        do {
            return try tables.open(store)
        } catch {
            let reason = (error as? DatabaseError)?.message ?? "\(error)"
            throw UnusableStore(
                description:
                    "\(store) cannot be the service's database: \(reason). Name a file of this service, or a new "
                    + "one in a directory that exists and can be written.")
        }
    }

    /// Says what a person at the terminal has to know: what is away, and that it is back.
    private static let logger: Logger = {
        var logger = Logger(label: "service", factory: { StreamLogHandler.standardError(label: $0) })
        logger.logLevel = .notice
        return logger
    }()

    /// Runs services until SIGTERM or SIGINT; a second one ends the process at once, as kill -9 would: what is left
    /// open is finished at the next start.
    public func run(_ services: [any Service]) async throws {
        let signals = await UnixSignalsSequence(trapping: .sigterm, .sigint)
        SampleTool.say("running on \(nameServers) with \(store); end it with Ctrl-C")
        let group = ServiceGroup(services: services, logger: Self.logger)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask {
                var isFirst = true
                for await _ in signals {
                    guard isFirst else { SampleTool.endAtOnce() }
                    isFirst = false
                    SampleTool.complain("stopping; a second Ctrl-C ends it at once")
                    await group.triggerGracefulShutdown()
                }
            }
            tasks.addTask { try await group.run() }
            defer { tasks.cancelAll() }
            try await tasks.next()
        }
    }
}

/// The file that was named cannot be used.
struct UnusableStore: Error, CustomStringConvertible {
    var description: String
}

/// Commands on standard input, one a line, until it ends or the service is shut down.
public struct Commands: Service {
    private let perform: @Sendable ([String]) async throws -> String

    /// - Parameter perform: is given the words of a line and returns what is printed.
    public init(_ perform: @escaping @Sendable ([String]) async throws -> String) {
        self.perform = perform
    }

    public func run() async throws {
        await cancelWhenGracefulShutdown {
            for await line in Self.lines() {
                let words = line.split(separator: " ").map(String.init)
                guard !words.isEmpty else { continue }
                do {
                    SampleTool.say(try await perform(words))
                } catch {
                    SampleTool.say("\(words[0]): \(error)")
                }
            }
        }
        // The end of the input does not end the service.
        try? await gracefulShutdown()
    }

    /// Read on a thread of its own, which ends with the input or the process.
    private static func lines() -> AsyncStream<String> {
        AsyncStream { continuation in
            Thread.detachNewThread {
                while let line = readLine() { continuation.yield(line) }
                continuation.finish()
            }
        }
    }
}
