import Escrow
import GRDB

/// What became of everything, read from the services' databases: the store's totals, whoever of several runs did it.
public struct Totals: Sendable, Equatable {
    public var orders: Int64 = 0
    public var paid: Int64 = 0
    public var cancelled: Int64 = 0
    public var rejected: Int64 = 0
    public var refunds: Int64 = 0
    public var returns: Int64 = 0
    public var skippedLines: Int64 = 0
    public var malformedRows: Int64 = 0
    public var unitsSold: Int64 = 0
    public var unitsReturned: Int64 = 0
    public var users: Int64 = 0
    public var mails: Int64 = 0
    public var duplicatesSuppressed: Int64 = 0
    public var deadlinesFired: Int64 = 0
    public var deadlinesCancelled: Int64 = 0
    public var checkBacks: Int64 = 0
    public var deadLetters: Int64 = 0
    /// Messages at the broker, copies included.
    public var messages: Int64 = 0

    static func read(_ store: Store) async throws -> Totals {
        var totals = Totals()
        let orders = try await store.orders.read { db in try orderTotals(db) }
        totals.add(orders)
        let stock = try await store.inventory.read { db in
            var totals = Totals()
            totals.unitsReturned = try Checks.sum(db, "SELECT sum(quantity) FROM returned")
            return totals
        }
        totals.add(stock)
        let registration = try await store.registration.read { db in
            var totals = Totals()
            totals.users = try Checks.sum(db, "SELECT count(*) FROM account")
            totals.mails = try Checks.sum(db, "SELECT count(*) FROM effect WHERE kind = 'mail' AND state = 'sent'")
            return totals
        }
        totals.add(registration)
        for (_, database) in store.services { totals.add(try await database.read { try frameworkTotals($0) }) }
        let input = try await store.flow.read { try StoreSettings.readInput($0) }
        totals.skippedLines = Int64(input.skipped)
        totals.malformedRows = Int64(input.malformed)
        return totals
    }

    private static func orderTotals(_ db: Database) throws -> Totals {
        func count(_ condition: String) throws -> Int64 {
            try Checks.sum(db, "SELECT count(*) FROM shop_order WHERE \(condition)")
        }
        var totals = Totals()
        totals.orders = try count("true")
        totals.paid = try count("state = 'paid'")
        totals.cancelled = try count("state = 'cancelled'")
        totals.rejected = try count("state = 'rejected'")
        totals.refunds = try Checks.sum(db, "SELECT count(*) FROM refund")
        totals.returns = try Checks.sum(db, "SELECT count(*) FROM credit_note")
        totals.unitsSold = try Checks.sum(db, "SELECT sum(units) FROM shop_order WHERE state = 'paid'")
        return totals
    }

    private static func frameworkTotals(_ db: Database) throws -> Totals {
        func counter(_ counter: Counter) throws -> Int64 {
            try Int64.fetchOne(
                db, sql: "SELECT value FROM escrow_counter WHERE name = ?", arguments: [counter.rawValue]) ?? 0
        }
        var totals = Totals()
        totals.duplicatesSuppressed = try counter(.duplicatesSuppressed)
        totals.deadlinesFired = try counter(.deadlinesFired)
        totals.checkBacks = try counter(.checkBacks)
        totals.deadLetters = try counter(.deadLetters)
        totals.deadlinesCancelled = try Checks.sum(
            db, "SELECT count(*) FROM escrow_deadline WHERE state = 'cancelled'")
        return totals
    }

    private mutating func add(_ other: Totals) {
        for path in Self.sums { self[keyPath: path] += other[keyPath: path] }
    }

    private static var sums: [WritableKeyPath<Totals, Int64>] {
        [
            \.orders, \.paid, \.cancelled, \.rejected, \.refunds, \.returns, \.unitsSold, \.unitsReturned, \.users,
            \.mails, \.duplicatesSuppressed, \.deadlinesFired, \.deadlinesCancelled, \.checkBacks, \.deadLetters,
        ]
    }
}
