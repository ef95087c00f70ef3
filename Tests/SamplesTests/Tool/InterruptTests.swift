import ProcessOutput
import ProcessSupport
import Testing

/// A run that somebody wants to end.
@Suite struct InterruptTests {
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
    }

    /// A broker that is about to hang, and the address of its name server.
    private func besideABroker(_ body: @Sendable (String, ServerProcess) async throws -> Void) async throws {
        _ = try await NameServerProcess.run(directory: folder.path) { nameServer in
            let options = BrokerProcess.Options(store: folder.path("broker"), nameServer: nameServer.address)
            _ = try await BrokerProcess.run(options) { broker in
                defer { broker.process.kill() }
                let isRegistered = await broker.process.errors.first { $0.contains("to name server") }
                #expect(isRegistered?.hasSuffix("OK") == true)
                try await body(nameServer.address, broker.process)
            }
        }
    }

    /// The first signal waits for a broker that does not answer; the second for nothing.
    @Test(.timeLimit(.minutes(1)))
    func theSecondSignalEndsARunAtOnce() async throws {
        let store = folder.path("store")
        try await besideABroker { nameServer, broker in
            let arguments = ["demo", "--orders", "50000", "--store", store, "-n", nameServer]
            let ended = try await ServerProcess.run("escrow", arguments: arguments) { process in
                try await StoredOrders.reach(20, in: store)
                broker.suspend()
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

    /// The handlers are through in no time, and a broker that hangs is not waited for.
    @Test(.timeLimit(.minutes(1)), arguments: ["demo", "order-service"])
    func theFirstSignalEndsThemBesideABrokerThatHangs(_ name: String) async throws {
        try await besideABroker { nameServer, broker in
            if name == "demo" {
                try await interruptDemo(nameServer, broker)
            } else {
                try await interruptService(name, nameServer, broker)
            }
        }
    }

    private func interruptDemo(_ nameServer: String, _ broker: ServerProcess) async throws {
        let store = folder.path("store")
        let arguments = ["demo", "--orders", "50000", "--store", store, "-n", nameServer]
        let ended = try await ServerProcess.run("escrow", arguments: arguments) { process in
            try await StoredOrders.reach(20, in: store)
            broker.suspend()
            process.terminate()
            await process.errors.finished()
            return process.errors.lines
        }
        #expect(ended.exit == .code(1))
        #expect(ended.value.last?.hasSuffix("goes on where it stopped") == true, "\(ended.value)")
    }

    private func interruptService(_ name: String, _ nameServer: String, _ broker: ServerProcess) async throws {
        let arguments = ["-n", nameServer, "--store", folder.path("\(name).sqlite")]
        let ended = try await ServerProcess.run(name, arguments: arguments) { process in
            try await process.requireLine(containing: "running on")
            broker.suspend()
            process.terminate()
            await process.errors.finished()
            return process.errors.lines
        }
        #expect(ended.exit == .code(0))
        #expect(ended.value.contains { $0.contains("stopping; a second Ctrl-C") }, "\(ended.value)")
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
