import Foundation
import ProcessSupport
import Testing

/// The process that holds services and broker is killed, and started again on its store.
@Suite(.serialized) struct KillTests {
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
    }

    @Test(.timeLimit(.minutes(2)), arguments: [[], ["--chaos"]])
    func aKilledRunGoesOn(_ options: [String]) async throws {
        let file = try OrderCSV(invoices: 400, in: folder)
        let store = folder.path("store")
        let arguments = ["replay", file.path, "--store", store, "--unpaid", "\(OrderCSV.unpaid)"] + options
        for orders in [40, 150] {
            let ended = try await ServerProcess.run("escrow", arguments: arguments) { process in
                try await StoredOrders.reach(orders, in: store)
                process.kill()
            }
            #expect(ended.exit == .signal(9))
        }
        let last = try await CompletedProcess.run("escrow", arguments + ["--json"])
        try file.check(last)
    }
}
