import Foundation
import GRDB
import ProcessSupport
import Testing

@testable import ShopFlow

/// The process that holds services and broker is killed, and started again on its store.
@Suite(.serialized) struct KillTests {
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
    }

    private func placedOrders(_ store: String) -> Int {
        let path = "\(store)/orders.sqlite"
        guard FileManager.default.fileExists(atPath: path) else { return 0 }
        var configuration = Configuration()
        configuration.readonly = true
        let count = try? DatabaseQueue(path: path, configuration: configuration).read { db in
            try Int.fetchOne(db, sql: "SELECT count(*) FROM shop_order")
        }
        return count ?? 0
    }

    @Test(.timeLimit(.minutes(2)), arguments: [[], ["--chaos"]])
    func aKilledRunGoesOn(_ options: [String]) async throws {
        let file = try OrderCSV(invoices: 400, in: folder)
        let store = folder.path("store")
        let arguments = ["replay", file.path, "--store", store, "--unpaid", "\(OrderCSV.unpaid)"] + options
        for orders in [40, 150] {
            let ended = try await ServerProcess.run("escrow", arguments: arguments) { process in
                while placedOrders(store) < orders { await Task.yield() }
                process.kill()
            }
            #expect(ended.exit == .signal(9))
        }
        let last = try await CompletedProcess.run("escrow", arguments + ["--json"])
        #expect(last.exit == .code(0), "\(last.errors)")
        let report = try JSONDecoder().decode(Report.self, from: Data(try #require(last.output.last).utf8))
        #expect(report.violations == 0, "\(last.output)")
        #expect(report.orders == file.expected.orders)
        #expect(report.paid == file.expected.paid)
        #expect(report.cancelled == file.expected.cancelled)
        #expect(report.returns == file.expected.returns)
        #expect(report.unitsSold == file.expected.unitsSold)
        #expect(report.unitsReturned == file.expected.unitsReturned)
        #expect(report.malformedRows == file.expected.malformed)
        #expect(report.skippedLines == file.expected.skipped)
    }

    private struct Report: Decodable {
        var orders, paid, cancelled, returns, unitsSold, unitsReturned, malformedRows, skippedLines, violations: Int64
    }
}
