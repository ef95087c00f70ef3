import Foundation
import Logging
import ShopEvents
import Testing

@testable import ShopFlow

/// November 2011 of the data set *Online Retail*, where it is there; the project does not contain it.
@Suite struct RealOrdersTests {
    private static let path = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "shared/data/online-retail-2011-11.csv.gz").path(percentEncoded: false)
    static var isThere: Bool { FileManager.default.fileExists(atPath: path) }

    @Test(.enabled(if: isThere))
    func theFileIsReadAsItsDescriptionSays() throws {
        let file = try OrderFile.read(Self.path)
        #expect(file.counts == InputCounts(lines: 84_711, used: 84_574, skipped: 137, malformed: 0))
        #expect(file.invoices.count == 3462)
        let workload = Workload.replay(file, WorkloadSettings(.file(Self.path)))
        #expect(workload.orders.count == 2884)
        #expect(workload.returns.count == 441)
        #expect(workload.orders.count { $0.behaviour != .pays } == 287)
        #expect(workload.orders.filter { $0.behaviour == .pays }.map(\.lines.units).reduce(0, +) == 704_688)
        #expect(workload.returns.map(\.lines.units).reduce(0, +) == 12_621)
    }

    @Test(.enabled(if: isThere), .timeLimit(.minutes(3)))
    func theyAreReplayedWithChaos() async throws {
        var settings = FlowSettings(WorkloadSettings(.file(Self.path)))
        settings.isChaotic = true
        settings.logger.logLevel = .error
        let report = try await FlowRun(settings).run()
        #expect(report.checks.filter { $0.violations > 0 } == [])
        #expect(report.totals.paid == 2884 - 287)
        #expect(report.totals.unitsSold == 704_688)
        #expect(report.totals.unitsReturned == 12_621)
        #expect(report.totals.duplicatesSuppressed > 0)
        #expect(report.totals.checkBacks > 0)
    }
}
