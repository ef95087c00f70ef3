import Foundation
import GRDB
import MQProtocol

/// The right to relay the outbox of a database: one process at a time, named in the lease row.
///
/// The holder renews it; another process takes it when it has run out, or at once when the holder was a process of this
/// machine that is gone.
struct Lease: Sendable {
    /// `process space/process id/random`.
    let holder: String

    /// How long a holder that is not heard of keeps it.
    static let length = Duration.seconds(5)
    /// How often the holder renews it.
    static let renewal = Duration.seconds(1)

    init(host: String, processID: Int32) {
        holder = "\(host)/\(processID)/\(UInt64.random(in: 0...UInt64.max))"
    }

    static func ofThisProcess() -> Lease {
        Lease(host: processSpace ?? "elsewhere-\(UInt64.random(in: 0...UInt64.max))", processID: processID)
    }

    private static let processID = ProcessInfo.processInfo.processIdentifier

    /// Within one of these, process ids name processes: a machine, or a container of it. Nil where Linux is not.
    private static var processSpace: String? {
        let link = try? FileManager.default.destinationOfSymbolicLink(atPath: "\(processes)/self/ns/pid")
        return link?.replacing("/", with: "-")
    }

    private static let processes = "/proc"

    /// - Returns: until when this process holds it; nil while another does.
    func take(_ db: Database, now: Timestamp) throws -> Timestamp? {
        let expires = now.advanced(by: Self.length)
        let current = try Row.fetchOne(db.cachedStatement(sql: "SELECT holder, expires FROM escrow_lease"))
        if let current {
            let other: String = current["holder"]
            let isFree = other == holder || expired(current, now) || isGone(other)
            guard isFree else { return nil }
        }
        try db.cachedStatement(
            sql: """
                INSERT INTO escrow_lease (only, holder, expires) VALUES (1, ?1, ?2)
                ON CONFLICT (only) DO UPDATE SET holder = ?1, expires = ?2
                """
        ).execute(arguments: [holder, expires.milliseconds])
        return expires
    }

    func release(_ db: Database) throws {
        try db.execute(sql: "DELETE FROM escrow_lease WHERE holder = ?", arguments: [holder])
    }

    private func expired(_ row: Row, _ now: Timestamp) -> Bool {
        let expires: Int64 = row["expires"]
        return expires <= now.milliseconds
    }

    /// Whether the holder was a process of this machine that has ended. Only Linux tells without a system call; where
    /// it cannot be told, the lease runs out.
    private func isGone(_ other: String) -> Bool {
        let parts = other.split(separator: "/")
        let own = holder.split(separator: "/")
        guard parts.count == 3, own.count == 3, parts[0] == own[0], let process = Int32(parts[1]) else { return false }
        // A process that holds it twice, as tests do, is not gone.
        guard parts[1] != own[1] else { return false }
        guard FileManager.default.fileExists(atPath: "\(Self.processes)/self") else { return false }
        return !FileManager.default.fileExists(atPath: "\(Self.processes)/\(process)")
    }
}
