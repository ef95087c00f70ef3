import Foundation
import GRDB
import Logging
import MQClient
import MQProtocol
import Testing

@testable import Escrow

/// Deadlines on a stock broker, which knows 18 fixed delays.
@Suite(.timeLimit(.minutes(1))) struct CourierTests {
    private let clock = ManualClock(start: Timestamp(milliseconds: 1_000_000_000))
    private let database: TestDatabase
    private let deadline = Deadline("payment", for: "17")

    init() throws {
        database = try TestDatabase(time: .manual(clock))
    }

    /// The delays that a stock broker was given one after the other, and how late the deadline fired.
    private func chain(_ delay: Duration) async throws -> (levels: [Int?], late: Duration) {
        let writer = database.writer(time: .manual(clock))
        let due = clock.now().advanced(by: delay)
        let firing = Firing(
            service: database.service,
            handlers: [
                "payment": DeadlineHandler(
                    policy: .standard,
                    run: { due, tx in
                        try TestDatabase.note(tx.database, "fired \(due.due.duration(to: tx.now).wholeMilliseconds)")
                        return .done
                    })
            ],
            writer: writer, logger: .silent)
        let service = database.service
        let deadline = deadline
        try await writer.perform { db, context in
            let tx = Transaction(database: db, now: context.now, context: context, service: service, fence: nil)
            try tx.arm(deadline, at: due)
        }
        return try await StockBroker.with { broker in
            var configuration = MQClientConfiguration(nameServers: try NameServerAddresses(broker.address))
            configuration.logger = .silent
            return try await MQClient.with(configuration) { client in
                let producer = try TransactionProducer(client, group: "shop") { _ in .unknown }
                let courier = Courier(
                    client: client, producer: producer, identity: database.store.identity, time: .manual(clock),
                    withholds: { _ in false })
                while let row = try await nextRow() {
                    guard case .acknowledged = await courier.deliver(row) else { throw Planned(text: "not sent") }
                    try await writer.perform { db, _ in try OutboxTable.delete(db, [row.sequence]) }
                    // As the broker would: it rings when the level has passed.
                    if let level = broker.delayLevels.last ?? nil {
                        clock.advance(by: .milliseconds(DelayLevels.standard.milliseconds[level - 1]))
                    }
                    let ring = try JSONDecoder().decode(DeadlineRing.self, from: row.event.body)
                    _ = await firing.fire([Firing.Candidate(deadline: ring.deadline, generation: ring.generation)])
                }
                return (broker.delayLevels, due.duration(to: clock.now()))
            }
        }
    }

    private func nextRow() async throws -> OutboxRow? {
        try await database.pool.read { try OutboxTable.rows($0, after: 0, limit: 1).first }
    }

    @Test func theLongestLevelThatIsNotTooLongComesFirst() async throws {
        let (levels, late) = try await chain(.seconds(100))
        // 1 min, 30 s, 10 s.
        #expect(levels == [5, 4, 3])
        #expect(late == .zero)
        #expect(try database.notes() == ["fired 0"])
    }

    @Test func beyondTheLongestLevelThereAreSeveralOfIt() async throws {
        let (levels, late) = try await chain(.seconds(5 * 3600))
        #expect(levels == [18, 18, 17])
        #expect(late == .zero)
        #expect(try database.notes() == ["fired 0"])
    }

    /// Rather a little late than early.
    @Test func withinTheLastSecondTheShortestIsWaitedFor() async throws {
        let (levels, late) = try await chain(.milliseconds(5300))
        #expect(levels == [2, 1])
        #expect(late == .milliseconds(700))
        #expect(try database.notes() == ["fired 700"])
    }

    @Test func whatIsDueIsSentWithoutDelay() async throws {
        let (levels, late) = try await chain(.zero)
        #expect(levels == [nil])
        #expect(late == .zero)
        #expect(try database.notes() == ["fired 0"])
    }

    // MARK: Levels

    @Test func levelsAreCountedFromOne() {
        let levels = DelayLevels.standard
        #expect(levels.longest(within: .milliseconds(999)) == nil)
        #expect(levels.longest(within: .seconds(1)) == 1)
        #expect(levels.longest(within: .seconds(4)) == 1)
        #expect(levels.longest(within: .seconds(86_400)) == 18)
        #expect(levels.shortest(atLeast: .zero) == 1)
        #expect(levels.shortest(atLeast: .seconds(2)) == 2)
        #expect(levels.shortest(atLeast: .seconds(86_400)) == 18)
    }
}
