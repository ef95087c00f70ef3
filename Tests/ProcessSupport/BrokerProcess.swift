import Foundation
import ProcessOutput

/// An `mqbroker` process on loopback, ready to serve.
package struct BrokerProcess: Sendable {
    package let process: ServerProcess
    /// `host:port` of the ordinary listener.
    package let address: String

    /// How a broker under test is set up.
    package struct Options: Sendable {
        /// The store's root. Created when absent.
        package var store: String
        /// Nil: a free one.
        package var port: Int?
        /// `host:port`; nil: the broker registers nowhere.
        package var nameServer: String?
        /// Further lines of the properties file; they replace the ones this type writes.
        package var properties: [String: String]
        /// Where `mqbroker` was built. Nil: beside the program that is running.
        package var programs: String?
        /// Variables besides those of this process.
        package var environment: [String: String] = [:]

        package init(
            store: String, port: Int? = nil, nameServer: String? = nil, properties: [String: String] = [:]
        ) {
            self.store = store
            self.port = port
            self.nameServer = nameServer
            self.properties = properties
        }
    }

    /// Starts a broker, waits for the line that says it serves, and runs `body` beside it.
    ///
    /// - Throws: what the broker said, when it ended instead of serving.
    package static func run<Value: Sendable>(
        _ options: Options, _ body: @Sendable (BrokerProcess) async throws -> Value
    ) async throws -> ServerProcess.Ended<Value> {
        let port = if let port = options.port { port } else { try await FreePorts.next() }
        let file = try writeProperties(options, port: port)
        return try await ServerProcess.run(
            "mqbroker", arguments: ["-c", file], programs: options.programs, environment: options.environment
        ) { process in
            try await process.requireLine(containing: "boot success")
            return try await body(BrokerProcess(process: process, address: "127.0.0.1:\(port)"))
        }
    }

    /// Writes the properties file beside the store and returns its path.
    package static func writeProperties(_ options: Options, port: Int) throws -> String {
        var properties = [
            "brokerClusterName": "TestCluster",
            "brokerName": "broker-a",
            "brokerId": "0",
            "brokerIP1": "127.0.0.1",
            "listenPort": "\(port)",
            "storePathRootDir": options.store,
            "storePathCommitLog": options.store + "/commitlog",
        ]
        properties["namesrvAddr"] = options.nameServer
        properties.merge(options.properties) { _, given in given }
        let text = properties.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)\n" }.joined()
        let file = options.store + ".properties"
        try text.write(toFile: file, atomically: true, encoding: .utf8)
        return file
    }
}

/// An `mqnamesrv` process on loopback, ready to serve.
package struct NameServerProcess: Sendable {
    package let process: ServerProcess
    /// `host:port`.
    package let address: String

    /// Starts a name server that keeps its files in `directory`, and runs `body` beside it.
    package static func run<Value: Sendable>(
        directory: String, _ body: @Sendable (NameServerProcess) async throws -> Value
    ) async throws -> ServerProcess.Ended<Value> {
        let port = try await FreePorts.next()
        let file = directory + "/namesrv.properties"
        try "listenPort=\(port)\nkvConfigPath=\(directory)/kvConfig.json\n"
            .write(toFile: file, atomically: true, encoding: .utf8)
        return try await ServerProcess.run("mqnamesrv", arguments: ["-c", file]) { process in
            try await process.requireLine(containing: "boot success")
            return try await body(NameServerProcess(process: process, address: "127.0.0.1:\(port)"))
        }
    }
}

extension ServerProcess {
    /// Waits for a line on standard output.
    ///
    /// - Throws: when the process ends without it.
    package func requireLine(containing text: String) async throws {
        guard await output.first(where: { $0.contains(text) }) == nil else { return }
        await errors.finished()
        throw ProcessSupportError("\(name) ended without \"\(text)\". It said: \(output.tail()) | \(errors.tail())")
    }
}
