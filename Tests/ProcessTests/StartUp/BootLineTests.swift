import Foundation
import ProcessSupport
import Testing

extension ProcessTests {
    @Suite("The line that says that a broker serves")
    struct BootLineTests {
        @Test("comes when its name server knows it")
        func isRegistered() async throws {
            try await TemporaryDirectory.with { directory in
                _ = try await NameServerProcess.run(directory: directory) { nameServer in
                    var options = StoreSettings.options(store: directory + "/store")
                    options.nameServer = nameServer.address
                    _ = try await BrokerProcess.run(options) { _ in
                        let list = try await CompletedProcess.run(
                            "mqadmin", ["clusterList", "-n", nameServer.address])
                        #expect(list.output.contains { $0.contains("broker-a") }, "\(list.output) \(list.errors)")
                    }
                }
            }
        }
    }
}
