import GRDB
import MQProtocol
import Testing

@testable import Escrow

/// One process at a time relays.
@Suite struct LeaseTests {
    private let database: TestDatabase
    private let start = Timestamp(milliseconds: 1_000_000)
    private let lease = Lease.ofThisProcess()

    init() throws {
        database = try TestDatabase()
    }

    private func take(_ lease: Lease, after delay: Duration = .zero) throws -> Bool {
        try database.pool.write { try lease.take($0, now: start.advanced(by: delay)) != nil }
    }

    private func other(processID: Int32) throws -> Lease {
        let space = try #require(lease.holder.text.split(separator: "/").first)
        return Lease(holder: Holder(host: String(space), processID: processID))
    }

    /// Process 1 is the first and the last of every machine and container.
    @Test func aLiveHolderKeepsItUntilItRunsOut() throws {
        #expect(try take(try other(processID: 1)))
        #expect(try !take(lease))
        #expect(try !take(lease, after: Lease.length - .milliseconds(1)))
        #expect(try take(lease, after: Lease.length))
    }

    @Test func renewingMovesTheEnd() throws {
        let first = try other(processID: 1)
        #expect(try take(first))
        #expect(try take(first, after: Lease.renewal))
        #expect(try !take(lease, after: Lease.length))
        #expect(try take(lease, after: Lease.length + Lease.renewal))
        #expect(try !take(first, after: Lease.length + Lease.renewal))
    }

    /// Linux gives no process a number above 4,194,304.
    @Test func ofAProcessThatHasEndedItIsTakenAtOnce() throws {
        #expect(try take(try other(processID: 4_194_305)))
        #expect(try take(lease))
    }

    /// Its process ids say nothing here.
    @Test func ofAnotherMachineItRunsOut() throws {
        #expect(try take(Lease(holder: Holder(host: "elsewhere", processID: 4_194_305))))
        #expect(try !take(lease))
        #expect(try take(lease, after: Lease.length))
    }

    @Test func aReleasedOneIsFreeAndNobodyReleasesAnothers() throws {
        #expect(try take(lease))
        try database.pool.write { try Lease.ofThisProcess().release($0) }
        #expect(try !take(Lease.ofThisProcess()))
        try database.pool.write { try lease.release($0) }
        #expect(try take(Lease.ofThisProcess()))
    }
}
