import MQClient
import MQProtocol
import ProcessOutput
import ProcessSupport
import Testing

/// A run that somebody wants to end.
@Suite struct InterruptTests {
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
    }

    /// The first signal waits for a broker that does not answer; the second for nothing.
    @Test(.timeLimit(.minutes(1)))
    func theSecondSignalEndsARunAtOnce() async throws {
        let store = folder.path("store")
        _ = try await NameServerProcess.run(directory: folder.path) { nameServer in
            let options = BrokerProcess.Options(store: folder.path("broker"), nameServer: nameServer.address)
            _ = try await BrokerProcess.run(options) { broker in
                defer { broker.process.kill() }
                try await register(at: nameServer.address)
                let arguments = ["demo", "--orders", "50000", "--store", store, "-n", nameServer.address]
                let ended = try await ServerProcess.run("escrow", arguments: arguments) { process in
                    try await StoredOrders.reach(20, in: store)
                    broker.process.suspend()
                    process.terminate()
                    let answer = await process.errors.first(where: { $0.contains("stopping") })
                    #expect(answer != nil)
                    process.terminate()
                    await process.errors.finished()
                    return process.errors.lines
                }
                #expect(ended.exit == .code(1))
                #expect(ended.value.last == "escrow: ended at once", "\(ended.value)")
            }
        }
    }

    /// Returns when the name server knows the broker.
    private func register(at nameServers: String) async throws {
        let configuration = MQClientConfiguration(nameServers: try NameServerAddresses(nameServers))
        try await MQClient.with(configuration) { client in
            while try await client.clusterTopology().brokersByName.isEmpty {
                try await TimeSource.system.sleep(for: .milliseconds(20))
            }
        }
    }

    /// Whoever reads a pipe sees that the service runs, and not only that it ran.
    @Test(.timeLimit(.minutes(1)), arguments: ["order-service", "inventory-service"])
    func aSampleSaysAtOnceThatItRuns(_ name: String) async throws {
        let arguments = ["-n", "127.0.0.1:1", "--store", folder.path("\(name).sqlite")]
        _ = try await ServerProcess.run(name, arguments: arguments) { process in
            try await process.requireLine(containing: "running on 127.0.0.1:1")
            process.terminate()
        }
    }
}
