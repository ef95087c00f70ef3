import GRDB
import MQProtocol
import Testing

@testable import Escrow

/// What a body is given, without a broker.
@Suite struct TransactionTests {
    private let database: TestDatabase

    init() throws {
        database = try TestDatabase()
    }

    private func write(_ body: (Transaction) throws -> Void) throws {
        let service = database.service
        try database.pool.write { db in
            let context = GroupContext(now: Timestamp(milliseconds: 1_000_000))
            try body(Transaction(database: db, now: context.now, context: context, service: service, fence: nil))
        }
    }

    private func refusal(_ body: (Transaction) throws -> Void) -> EscrowError.Code? {
        do {
            try write(body)
            return nil
        } catch {
            return (error as? EscrowError)?.code
        }
    }

    /// A ring carries the key: one that no message can carry would stay in the outbox for ever.
    @Test(arguments: ["", "a\u{1}b", "\n", String(repeating: "x", count: 256), String(repeating: "y", count: 20_000)])
    func aKeyThatCannotTravelIsRefused(_ key: String) throws {
        let deadline = Deadline("payment", for: key)
        #expect(refusal { try $0.arm(deadline, after: .seconds(1)) } == .invalidEvent)
        #expect(refusal { try $0.extend(deadline, by: .seconds(1)) } == .invalidEvent)
        #expect(refusal { _ = try $0.cancel(deadline) } == .invalidEvent)
        #expect(try database.count("SELECT count(*) FROM escrow_deadline") == 0)
        #expect(try database.count("SELECT count(*) FROM escrow_outbox") == 0)
    }

    /// The name of an event travels too, as the tag that consumers ask for.
    @Test(arguments: ["", "*", "a|b", " a", "a\u{1}"])
    func anEventWhoseNameCannotTravelIsRefused(_ name: String) throws {
        OddlyNamed.$currentName.withValue(name) {
            #expect(refusal { try $0.publish(OddlyNamed()) } == .invalidEvent)
        }
        #expect(try database.count("SELECT count(*) FROM escrow_outbox") == 0)
    }

    @Test func theLongestKeyIsTaken() throws {
        let deadline = Deadline("payment", for: String(repeating: "ü", count: 127) + "x")
        try write { tx in
            try tx.arm(deadline, after: .seconds(1))
            #expect(try tx.extend(deadline, by: .seconds(1)))
            #expect(try tx.cancel(deadline) == .cancelled)
        }
    }
}

private struct OddlyNamed: Event {
    @TaskLocal static var currentName = ""
    static let topic: Topic = "orders"
    static var name: String { currentName }
    var idempotencyKey: IdempotencyKey { "odd" }
    var orderingKey: OrderingKey { .none }
}
