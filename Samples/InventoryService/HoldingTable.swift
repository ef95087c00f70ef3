import GRDB
import MQProtocol
import ShopEvents

/// Where the stock of an order stands; see `inventory.sql`.
enum HoldingState: String, Sendable, DatabaseValueConvertible {
    case reserved, confirmed, released, refused, overtaken
}

/// What became of a request for stock.
enum Reservation: Sendable, Equatable {
    case reserved
    /// No line is reserved, for this reason.
    case refused(String)
    /// It was answered before.
    case repeated
}

/// The rows of holdings and reservations. Every function runs inside the caller's transaction.
enum HoldingTable {
    /// Reserves all lines of an order or none, once.
    static func reserve(_ db: Database, _ order: String, lines: [Line], now: Timestamp) throws -> Reservation {
        guard try enter(db, order, .reserved, now: now) else {
            return try state(db, of: order) == .overtaken
                ? .refused("the order was decided before its stock was asked for") : .repeated
        }
        try insert(db, order, lines)
        if let code = try StockTable.shortage(db, for: order) {
            try db.cachedStatement(sql: "DELETE FROM reservation WHERE order_id = ?").execute(arguments: [order])
            _ = try move(db, order, from: .reserved, to: .refused, now: now)
            return .refused("not enough of \(code)")
        }
        try StockTable.move(db, .reserve, linesOf: order)
        try record(db, order, .reserved, now: now)
        return .reserved
    }

    /// What became of the end of a reservation.
    enum Ending: Sendable, Equatable {
        case ended
        /// Heard of before its beginning: a marker refuses the beginning when it comes.
        case overtook
        /// There was nothing to end any more.
        case tooLate
    }

    /// The goods leave the warehouse.
    static func confirm(_ db: Database, _ order: String, now: Timestamp) throws -> Ending {
        try end(db, order, .confirmed, .confirm, now: now)
    }

    /// The goods go back on sale.
    static func release(_ db: Database, _ order: String, now: Timestamp) throws -> Ending {
        try end(db, order, .released, .release, now: now)
    }

    static func state(_ db: Database, of order: String) throws -> HoldingState? {
        try HoldingState.fetchOne(
            db.cachedStatement(sql: "SELECT state FROM holding WHERE order_id = ?"), arguments: [order])
    }

    // MARK: Steps

    private static func end(
        _ db: Database, _ order: String, _ new: HoldingState, _ stock: StockTable.Move, now: Timestamp
    ) throws -> Ending {
        guard try move(db, order, from: .reserved, to: new, now: now) else {
            return try enter(db, order, .overtaken, now: now) ? .overtook : .tooLate
        }
        try db.cachedStatement(
            sql: "UPDATE reservation SET state = ?2 WHERE order_id = ?1 AND state = 'reserved'"
        ).execute(arguments: [order, new])
        try StockTable.move(db, stock, linesOf: order)
        try record(db, order, new, now: now)
        return .ended
    }

    /// - Returns: false when the order has been heard of before.
    private static func enter(_ db: Database, _ order: String, _ state: HoldingState, now: Timestamp) throws -> Bool {
        try db.cachedStatement(
            sql: "INSERT INTO holding (order_id, state, changed) VALUES (?, ?, ?) ON CONFLICT (order_id) DO NOTHING"
        ).execute(arguments: [order, state, now.milliseconds])
        return db.changesCount > 0
    }

    /// Compare and set.
    private static func move(
        _ db: Database, _ order: String, from old: HoldingState, to new: HoldingState, now: Timestamp
    ) throws -> Bool {
        try db.cachedStatement(
            sql: "UPDATE holding SET state = ?3, changed = ?4 WHERE order_id = ?1 AND state = ?2"
        ).execute(arguments: [order, old, new, now.milliseconds])
        return db.changesCount > 0
    }

    private static func insert(_ db: Database, _ order: String, _ lines: [Line]) throws {
        let statement = try db.cachedStatement(
            sql: """
                INSERT INTO reservation (order_id, position, code, quantity, state) VALUES (?, ?, ?, ?, 'reserved')
                """)
        for line in lines {
            try statement.execute(arguments: [order, line.position, line.code, line.quantity])
        }
    }

    private static func record(_ db: Database, _ order: String, _ state: HoldingState, now: Timestamp) throws {
        try db.cachedStatement(sql: "INSERT INTO holding_change (order_id, state, changed) VALUES (?, ?, ?)")
            .execute(arguments: [order, state, now.milliseconds])
    }
}
