import Foundation
import ProcessSupport
import Testing

/// Services in one process, the broker in another; each of them is killed.
@Suite(.serialized) struct SeparateBrokerTests {
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
    }

    private var store: String { folder.path("store") }

    private func arguments(
        _ file: OrderCSV, _ nameServer: NameServerProcess, _ options: [String] = []
    ) -> [String] {
        ["replay", file.path, "--store", store, "--unpaid", "\(OrderCSV.unpaid)", "-n", nameServer.address, "--json"]
            + options
    }

    private func broker(_ nameServer: NameServerProcess, port: Int) -> BrokerProcess.Options {
        // It asks back soon, so that withheld verdicts do not hold up the test.
        BrokerProcess.Options(
            store: folder.path("broker"), port: port, nameServer: nameServer.address,
            properties: ["transactionTimeOut": "1000", "transactionCheckInterval": "1000"])
    }

    @Test(.timeLimit(.minutes(2)), arguments: [[], ["--chaos"]])
    func aKilledBrokerChangesNoOutcome(_ options: [String]) async throws {
        let file = try OrderCSV(invoices: 400, in: folder)
        let port = try await FreePorts.next()
        _ = try await NameServerProcess.run(directory: folder.path) { nameServer in
            let (stopped, stop) = AsyncStream.makeStream(of: Void.self)
            async let serving: Void = {
                let first = try await BrokerProcess.run(broker(nameServer, port: port)) { broker in
                    try await StoredOrders.reach(100, in: store)
                    broker.process.kill()
                }
                #expect(first.exit == .signal(9))
                _ = try await BrokerProcess.run(broker(nameServer, port: port)) { _ in
                    for await _ in stopped { break }
                }
            }()
            // Refused until the first broker is registered.
            let arguments = arguments(file, nameServer, options)
            var run = try await CompletedProcess.run("escrow", arguments)
            while run.errors.contains(where: { $0.contains("No broker is registered") }) {
                run = try await CompletedProcess.run("escrow", arguments)
            }
            stop.yield()
            try await serving
            try file.check(run)
        }
    }

    @Test(.timeLimit(.minutes(2)))
    func killedServicesGoOnAtTheSameBroker() async throws {
        let file = try OrderCSV(invoices: 400, in: folder)
        let port = try await FreePorts.next()
        _ = try await NameServerProcess.run(directory: folder.path) { nameServer in
            _ = try await BrokerProcess.run(broker(nameServer, port: port)) { _ in
                for orders in [40, 150] {
                    _ = try await ServerProcess.run("escrow", arguments: arguments(file, nameServer)) { process in
                        try await StoredOrders.reach(orders, in: store)
                        process.kill()
                    }
                }
                try file.check(try await CompletedProcess.run("escrow", arguments(file, nameServer)))
            }
        }
    }
}
