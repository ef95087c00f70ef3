import GRDB
import MQProtocol

/// The right to relay the outbox of a database: one process at a time, named in the lease row.
///
/// The holder renews it; another process takes it when it has run out, or at once when the holder was a process of this
/// machine that is gone; where that cannot be told, the lease runs out.
struct Lease: Sendable {
    let holder: Holder

    /// How long a holder that is not heard of keeps it.
    static let length = Duration.seconds(5)
    /// How often the holder renews it.
    static let renewal = Duration.seconds(1)

    static func ofThisProcess() -> Lease {
        Lease(holder: .inThisProcess())
    }

    struct Held: Equatable {
        var until: Timestamp
        /// Nobody else had it since this process took it last, also if it ran out in between.
        var isContinued: Bool
    }

    /// - Returns: nil while another process holds it.
    func take(_ db: Database, now: Timestamp) throws -> Held? {
        let expires = now.advanced(by: Self.length)
        let current = try Row.fetchOne(db.cachedStatement(sql: "SELECT holder, expires FROM escrow_lease"))
        var isContinued = false
        if let current {
            let other: String = current["holder"]
            isContinued = other == holder.text
            let isFree = isContinued || expired(current, now) || holder.isGone(other)
            guard isFree else { return nil }
        }
        try db.cachedStatement(
            sql: """
                INSERT INTO escrow_lease (only, holder, expires) VALUES (1, ?1, ?2)
                ON CONFLICT (only) DO UPDATE SET holder = ?1, expires = ?2
                """
        ).execute(arguments: [holder.text, expires.milliseconds])
        return Held(until: expires, isContinued: isContinued)
    }

    func release(_ db: Database) throws {
        try db.execute(sql: "DELETE FROM escrow_lease WHERE holder = ?", arguments: [holder.text])
    }

    private func expired(_ row: Row, _ now: Timestamp) -> Bool {
        let expires: Int64 = row["expires"]
        return expires <= now.milliseconds
    }
}
