import Foundation
import MQClient
import ProcessOutput

/// A name server and a broker as processes of their own, on free ports, with a temporary store.
struct DemoCluster: Sendable {
    let nameServer: String
    let brokerAddress: String
    let client: MQClient

    static func with<Value: Sendable>(
        _ body: @escaping @Sendable (DemoCluster) async throws -> Value
    ) async throws -> Value {
        try await TemporaryDirectory.with(in: nil) { directory in
            let nameServerPort = try await FreePort.pick()
            let configuration = "\(directory)/namesrv.conf"
            try "listenPort=\(nameServerPort)\nkvConfigPath=\(directory)/kvConfig.json\n"
                .write(toFile: configuration, atomically: true, encoding: .utf8)
            return try await ChildProcess.with("mqnamesrv", arguments: ["-c", configuration]) { nameServer in
                try await nameServer.requireLine(containing: "boot success")
                return try await withBroker(directory: directory, nameServer: "127.0.0.1:\(nameServerPort)", body)
            }
        }
    }

    private static func withBroker<Value: Sendable>(
        directory: String, nameServer: String, _ body: @escaping @Sendable (DemoCluster) async throws -> Value
    ) async throws -> Value {
        let port = try await FreePort.pick()
        let configuration = "\(directory)/broker.conf"
        let text = """
            brokerClusterName=DemoCluster
            brokerName=broker-demo
            brokerId=0
            brokerIP1=127.0.0.1
            listenPort=\(port)
            namesrvAddr=\(nameServer)
            storePathRootDir=\(directory)/store
            storePathCommitLog=\(directory)/store/commitlog
            transactionTimeOut=1000
            transactionCheckInterval=1000

            """
        try text.write(toFile: configuration, atomically: true, encoding: .utf8)
        return try await ChildProcess.with("mqbroker", arguments: ["-c", configuration]) { broker in
            try await broker.requireLine(containing: "boot success")
            let servers = try NameServerAddresses(nameServer)
            return try await MQClient.with(MQClientConfiguration(nameServers: servers)) { client in
                try await body(
                    DemoCluster(nameServer: nameServer, brokerAddress: "127.0.0.1:\(port)", client: client))
            }
        }
    }
}

extension ChildProcess {
    /// - Throws: what the process said, when it ended without the line.
    func requireLine(containing text: String) async throws {
        guard await log.first(where: { $0.contains(text) }) == nil else { return }
        throw BenchError("A server ended instead of serving. It said: \(log.tail())")
    }
}
