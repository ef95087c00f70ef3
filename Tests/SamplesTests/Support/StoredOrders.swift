import Foundation
import GRDB
import MQProtocol
import ProcessSupport
import Testing

/// A look into the store of a run in another process.
enum StoredOrders {
    /// Returns when a run in another process has stored so many.
    static func reach(_ orders: Int, in store: String) async throws {
        while count(in: store) < orders { try await TimeSource.system.sleep(for: .milliseconds(5)) }
    }

    /// 0 while the database is not there yet.
    private static func count(in store: String) -> Int {
        let path = "\(store)/orders.sqlite"
        guard FileManager.default.fileExists(atPath: path) else { return 0 }
        var configuration = Configuration()
        configuration.readonly = true
        let count = try? DatabaseQueue(path: path, configuration: configuration).read { db in
            try Int.fetchOne(db, sql: "SELECT count(*) FROM shop_order")
        }
        return count ?? 0
    }
}

extension OrderCSV {
    private struct Report: Decodable {
        var orders, paid, cancelled, returns, unitsSold, unitsReturned, malformedRows, skippedLines, violations: Int64
    }

    /// What a run said on its last line has to be what the file says.
    func check(_ run: CompletedProcess) throws {
        #expect(run.exit == .code(0), "\(run.errors)")
        let report = try JSONDecoder().decode(Report.self, from: Data(try #require(run.output.last).utf8))
        #expect(report.violations == 0, "\(run.output)")
        #expect(report.orders == expected.orders)
        #expect(report.paid == expected.paid)
        #expect(report.cancelled == expected.cancelled)
        #expect(report.returns == expected.returns)
        #expect(report.unitsSold == expected.unitsSold)
        #expect(report.unitsReturned == expected.unitsReturned)
        #expect(report.malformedRows == expected.malformed)
        #expect(report.skippedLines == expected.skipped)
    }
}
