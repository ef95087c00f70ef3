import GRDB
import MQProtocol
import ShopEvents

/// The rows of stock; see `inventory.sql`. Codes compare byte for byte, as SQLite's binary collation does.
enum StockTable {
    /// Puts a code on the shelf. Nothing happens when it is there.
    static func open(_ db: Database, _ code: String, quantity: Int64) throws {
        try db.cachedStatement(
            sql: "INSERT INTO stock (code, opening, on_hand) VALUES (?1, ?2, ?2) ON CONFLICT (code) DO NOTHING"
        ).execute(arguments: [code, quantity])
    }

    /// Goods come back. A code that was never stocked gets a place on the shelf.
    ///
    /// - Returns: false when those of the note came back before.
    static func takeBack(_ db: Database, note: String, lines: [Line]) throws -> Bool {
        let isKnown = try Bool.fetchOne(
            db.cachedStatement(sql: "SELECT EXISTS (SELECT 1 FROM returned WHERE note = ?)"), arguments: [note])
        if isKnown ?? false { return false }
        let insert = try db.cachedStatement(
            sql: "INSERT INTO returned (note, position, code, quantity) VALUES (?, ?, ?, ?)")
        let add = try db.cachedStatement(
            sql: """
                INSERT INTO stock (code, opening, on_hand) VALUES (?1, 0, ?2)
                ON CONFLICT (code) DO UPDATE SET on_hand = on_hand + excluded.on_hand
                """)
        for line in lines {
            try insert.execute(arguments: [note, line.position, line.code, line.quantity])
            try add.execute(arguments: [line.code, line.quantity])
        }
        return true
    }

    /// The first code of an order of which there is not enough for all its lines; nil when there is enough.
    static func shortage(_ db: Database, for order: String) throws -> String? {
        try String.fetchOne(
            db.cachedStatement(
                sql: """
                    SELECT wanted.code FROM
                        (SELECT code, sum(quantity) AS quantity FROM reservation WHERE order_id = ? GROUP BY code)
                            AS wanted
                        LEFT JOIN stock ON stock.code = wanted.code
                    WHERE stock.code IS NULL OR stock.on_hand - stock.reserved < wanted.quantity
                    LIMIT 1
                    """),
            arguments: [order])
    }

    /// What moves when the lines of an order change their state.
    enum Move {
        case reserve, confirm, release

        var assignment: String {
            switch self {
            case .reserve: "reserved = reserved + moved.quantity"
            case .confirm: "reserved = reserved - moved.quantity, on_hand = on_hand - moved.quantity"
            case .release: "reserved = reserved - moved.quantity"
            }
        }
    }

    static func move(_ db: Database, _ move: Move, linesOf order: String) throws {
        try db.cachedStatement(
            sql: """
                UPDATE stock SET \(move.assignment) FROM
                    (SELECT code, sum(quantity) AS quantity FROM reservation WHERE order_id = ? GROUP BY code) AS moved
                WHERE stock.code = moved.code
                """
        ).execute(arguments: [order])
    }
}
