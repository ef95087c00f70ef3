import Foundation
import ProcessSupport
import Testing

extension ProcessTests {
    @Suite("Closed by default", .enabled(if: FileManager.default.fileExists(atPath: "/proc/net/tcp"), "needs /proc"))
    struct ListeningTests {
        @Test("A broker that was told nothing listens on loopback only")
        func brokerIsClosed() async throws {
            try await TemporaryDirectory.with { directory in
                let port = try await FreePorts.next()
                let file = directory + "/broker.properties"
                try "listenPort=\(port)\nstorePathRootDir=\(directory)/store\nmappedFileSizeCommitLog=8388608\n"
                    .write(toFile: file, atomically: true, encoding: .utf8)
                _ = try await ServerProcess.run("mqbroker", arguments: ["-c", file]) { process in
                    try await process.requireLine(containing: "boot success")
                    let addresses = try #require(ProcessProbe(process).listeningAddresses())
                    #expect(Set(addresses.map(\.port)).isSuperset(of: [port, port - 2]))
                    #expect(addresses.filter { !$0.isLoopback } == [])
                }
            }
        }

        @Test("A name server that was told nothing listens on loopback only")
        func nameServerIsClosed() async throws {
            try await TemporaryDirectory.with { directory in
                _ = try await NameServerProcess.run(directory: directory) { server in
                    let addresses = try #require(ProcessProbe(server.process).listeningAddresses())
                    #expect(addresses.isEmpty == false)
                    #expect(addresses.filter { !$0.isLoopback } == [])
                }
            }
        }

        @Test("A broker that is told to listens everywhere, and says so")
        func brokerOpens() async throws {
            try await TemporaryDirectory.with { directory in
                var options = StoreSettings.options(store: directory + "/store")
                options.properties["bindAddress"] = "0.0.0.0"
                _ = try await BrokerProcess.run(options) { broker in
                    let addresses = try #require(ProcessProbe(broker.process).listeningAddresses())
                    #expect(addresses.contains { !$0.isLoopback }, "\(addresses)")
                    try await broker.process.requireLine(containing: "0.0.0.0")
                }
            }
        }
    }
}
