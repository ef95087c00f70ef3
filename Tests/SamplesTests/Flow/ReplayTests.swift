import Foundation
import Logging
import Testing

@testable import ShopFlow

/// The whole flow in one process: services, embedded broker, customers and checks.
@Suite(.serialized) struct ReplayTests {
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
    }

    private func settings(_ path: String, store: String? = nil) -> FlowSettings {
        var workload = WorkloadSettings(.file(path))
        workload.unpaid = OrderCSV.unpaid
        var settings = FlowSettings(workload)
        settings.store = store.map(folder.path)
        settings.logger.logLevel = .error
        return settings
    }

    @Test(.timeLimit(.minutes(1)))
    func everyOrderOfAFileIsDecidedOnce() async throws {
        let file = try OrderCSV(invoices: 120, in: folder)
        let report = try await FlowRun(settings(file.path)).run()
        #expect(Expected(report.totals) == file.expected)
        #expect(report.checks.filter { $0.violations > 0 } == [])
        #expect(report.totals.deadLetters == 0)
        #expect(report.totals.deadlinesFired == file.expected.cancelled)
        #expect(report.totals.deadlinesCancelled == file.expected.paid)
        #expect(report.malformedRows.count == 2)
        #expect(report.isComplete)
    }

    @Test(.timeLimit(.minutes(1)))
    func chaosChangesNoOutcome() async throws {
        let file = try OrderCSV(invoices: 200, in: folder)
        var settings = settings(file.path, store: "chaos")
        settings.isChaotic = true
        let report = try await FlowRun(settings).run()
        #expect(Expected(report.totals) == file.expected)
        #expect(report.checks.filter { $0.violations > 0 } == [])
        #expect(report.totals.duplicatesSuppressed > 0)
        #expect(report.totals.checkBacks > 0)

        // Totals are the store's: a run that finds everything done changes none of them.
        settings.isChaotic = false
        let again = try await FlowRun(settings).run()
        #expect(again.isResumed)
        #expect(Expected(again.totals) == file.expected)
        #expect(again.totals.refunds == report.totals.refunds)
        #expect(again.violations == 0)
    }

    @Test(.timeLimit(.minutes(1)))
    func anInterruptedRunGoesOn() async throws {
        let file = try OrderCSV(invoices: 300, in: folder)
        let settings = settings(file.path, store: "interrupted")
        let (ring, rings) = AsyncStream.makeStream(of: Void.self)
        let first = Task {
            try await FlowRun(settings) { progress in
                if case .selling(let done, let all) = progress, done > all / 3 { rings.yield() }
            }.run()
        }
        for await _ in ring { break }
        first.cancel()
        await #expect(throws: CancellationError.self) { try await first.value }
        let report = try await FlowRun(settings).run()
        #expect(report.isResumed)
        #expect(Expected(report.totals) == file.expected)
        #expect(report.checks.filter { $0.violations > 0 } == [])
    }

    @Test(.timeLimit(.minutes(1)))
    func ordersWithoutStockAreRejected() async throws {
        let file = try OrderCSV(invoices: 80, in: folder)
        var settings = settings(file.path)
        settings.workload.openingStock = 15
        let report = try await FlowRun(settings).run()
        #expect(report.totals.rejected > 0)
        #expect(report.totals.orders == file.expected.orders)
        #expect(report.totals.paid + report.totals.cancelled + report.totals.rejected == file.expected.orders)
        #expect(report.checks.filter { $0.violations > 0 } == [])
    }

    @Test(.timeLimit(.minutes(1)))
    func aStoreKeepsItsRun() async throws {
        let file = try OrderCSV(invoices: 10, in: folder)
        var settings = settings(file.path, store: "kept")
        let first = try await FlowRun(settings).run()
        #expect(try FlowRun.workload(ofStore: folder.path("kept"))?.unpaid == 20)
        settings.workload.unpaid = 50
        await #expect(throws: FlowError.self) { try await FlowRun(settings).run() }
        settings.workload.unpaid = 20
        settings.workload.openingStock = 7
        await #expect(throws: FlowError.self) { try await FlowRun(settings).run() }
        settings.workload.openingStock = 100_000
        #expect(try await FlowRun(settings).run().totals.orders == first.totals.orders)
    }

    /// It would be refused by the broker's client, after the store was made and at every resume.
    @Test(.timeLimit(.minutes(1)))
    func anInvoiceThatIsTooLargeDoesNotStopTheOthers() async throws {
        let code = String(repeating: "x", count: 200)
        let large = String(repeating: "2,\(code),1\n", count: 21_000)
        let path = try folder.write("InvoiceNo,StockCode,Quantity\n1,A,1\n\(large)3,A,2\n", to: "large.csv")
        var settings = settings(path)
        settings.workload.unpaid = 0
        let report = try await FlowRun(settings).run()
        #expect(report.violations == 0)
        #expect(report.totals.orders == 2)
        #expect(report.totals.unitsSold == 3)
        #expect(report.totals.malformedRows == 21_000)
    }

    /// Nothing moves until the deadlines fire: a run of hours is not stuck.
    @Test(.timeLimit(.minutes(1)))
    func waitingForDeadlinesIsNoStandstill() async throws {
        let path = try folder.write("InvoiceNo,StockCode,Quantity\n1,A,1\n2,A,2\n", to: "unpaid.csv")
        var settings = settings(path)
        settings.workload.unpaid = 100
        settings.paymentTimeout = .seconds(5)
        settings.patience = .seconds(2)
        let report = try await FlowRun(settings).run()
        #expect(report.isComplete)
        #expect(report.violations == 0)
        #expect(report.totals.cancelled == 2)
    }

    @Test func aFileThatIsNoneLeavesNoStore() async throws {
        let path = try folder.write("no,such,columns\n1,2,3\n", to: "other.csv")
        await #expect(throws: FlowError.self) { try await FlowRun(settings(path, store: "none")).run() }
        #expect(!FileManager.default.fileExists(atPath: folder.path("none")))
    }

    @Test(.timeLimit(.minutes(1)))
    func theDemoHasEverythingInIt() async throws {
        var settings = FlowSettings(WorkloadSettings(.demo(orders: 300)))
        settings.workload.unpaid = 20
        settings.logger.logLevel = .error
        let report = try await FlowRun(settings).run()
        #expect(report.checks.filter { $0.violations > 0 } == [])
        #expect(report.totals.orders == 300)
        #expect(report.totals.users == 38)
        #expect(report.totals.mails == 38)
        #expect(report.totals.refunds > 0)
        #expect(report.totals.returns == 6)
    }
}
