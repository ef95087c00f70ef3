import Foundation
import Logging
import MQClient
import MQNameServer
import MQProtocol
import MQRemoting
import NIOPosix
import ProcessSupport

/// One store on a disk of its own, the broker that will serve it, and a name server that outlives the broker.
struct World: Sendable {
    let directory: String
    let disk: LoopFileSystem
    let control: FaultControl
    /// Nil: no single system call can be made to fail here.
    let preload: String?
    let nameServer: String
    let port: Int
    /// Where `mqbroker` was built. Nil: beside this program.
    let programs: String?

    static let diskMegabytes = 128

    var store: String { disk.mountPoint + "/store" }
    var address: String { "127.0.0.1:\(port)" }
    static let brokerName = "broker-a"

    /// In memory where there is such a thing.
    static let parentDirectory =
        FileManager.default.isWritableFile(atPath: "/dev/shm") ? "/dev/shm" : NSTemporaryDirectory()

    static func with<Value>(programs: String? = nil, _ body: (World) async throws -> Value) async throws -> Value {
        let directory = parentDirectory + "/escrow-faults-\(UUID().uuidString.prefix(8))"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let preload = try await PreloadLibrary.build(in: directory)
        return try await LoopFileSystem.with(megabytes: diskMegabytes, in: directory) { disk in
            try await withNameServer(directory) { nameServer in
                try await body(
                    World(
                        directory: directory, disk: disk, control: try FaultControl(directory: directory),
                        preload: preload, nameServer: nameServer, port: try await FreePorts.next(),
                        programs: programs))
            }
        }
    }

    private static func withNameServer<Value>(
        _ directory: String, _ body: (String) async throws -> Value
    ) async throws -> Value {
        var configuration = NameServerConfiguration()
        configuration.server.port = 0
        configuration.keyValueFile = directory + "/kvConfig.json"
        let server = try NameServer(configuration, group: .singleton, logger: quiet)
        let address = try await server.start()
        do {
            let value = try await body(address)
            await server.stop()
            return value
        } catch {
            await server.stop()
            throw error
        }
    }

    static let quiet = Logger(label: "faults") { _ in SwiftLogNoOpLogHandler() }

    func options(_ setup: Setup) -> BrokerProcess.Options {
        var options = BrokerProcess.Options(
            store: store, port: port, nameServer: nameServer, properties: setup.properties)
        options.programs = programs
        if let preload {
            options.environment = [
                "LD_PRELOAD": preload, "ESCROW_FAULT_CONTROL": control.path, "ESCROW_FAULT_ROOT": disk.mountPoint,
            ]
        }
        return options
    }

    /// Of a new client.
    func clientConfiguration() throws -> MQClientConfiguration {
        var configuration = MQClientConfiguration(nameServers: try NameServerAddresses(nameServer))
        configuration.sendAttempts = 1
        configuration.heartbeatInterval = .milliseconds(300)
        configuration.compressionThreshold = .max
        configuration.logger = Self.quiet
        return configuration
    }

    /// A disk with nothing on it.
    func reset() async throws {
        try control.clear()
        try control.shiftClock(by: .zero)
        try await disk.unmount()
        try await disk.format()
        try await disk.mount()
    }
}
