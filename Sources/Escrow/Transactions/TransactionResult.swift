import GRDB
public import MQClient
import MQProtocol

/// What became of a transaction whose body did not throw.
public enum TransactionResult<Value: Sendable>: Sendable {
    /// The database has committed; its messages are real from now on, whatever happens to the broker or this process.
    case committed(Value, TransactionReceipt)
    /// A check-back was answered with rollback before the body could run. It did not run, nothing was written, and no
    /// message will be seen. The same call can be made again.
    case fenced
    /// COMMIT failed in a way that leaves open whether it happened; the fence will tell.
    case inDoubt(InDoubtTransaction)

    /// The body's value; nil when the transaction was fenced or is in doubt.
    public var value: Value? {
        if case .committed(let value, _) = self { value } else { nil }
    }

    /// The body's value.
    ///
    /// - Throws: ``TransactionNotCommitted`` when the transaction was fenced or is in doubt.
    public func get() throws(TransactionNotCommitted) -> Value {
        switch self {
        case .committed(let value, _): return value
        case .fenced: throw .fenced
        case .inDoubt(let transaction): throw .inDoubt(transaction)
        }
    }
}

/// Why a transaction has no value.
public enum TransactionNotCommitted: Error, Sendable, CustomStringConvertible {
    case fenced
    case inDoubt(InDoubtTransaction)

    public var description: String {
        switch self {
        case .fenced:
            "Nothing was written and nothing is published: a broker was told so before the call could write. Make the "
                + "call again."
        case .inDoubt(let transaction):
            "COMMIT failed (\(transaction.reason)), and it is not known yet whether anything was written: settle() "
                + "tells."
        }
    }
}

/// A committed transaction whose messages are on their way.
public struct TransactionReceipt: Sendable {
    let id: TransactionID
    let relay: Relay
    /// True when the call had been made before with the same idempotency key: the body did not run this time.
    public var isRepeated: Bool

    /// Returns when every message of the transaction is visible to consumers.
    ///
    /// - Throws: ``EscrowError/Code/stopped`` when the service stops before, or has stopped with messages left that
    ///   leave at its next start; the codes of databases.
    ///   ``EscrowError/Code/undeliverable`` when one of them cannot be sent, whoever tries.
    public func visible() async throws {
        try await relay.awaitAcknowledgement(of: id)
    }
}

/// A transaction of which it is not known whether COMMIT succeeded.
public struct InDoubtTransaction: Sendable {
    let id: TransactionID
    let writer: Writer
    /// What SQLite said.
    public var reason: String

    /// Reads the fence on a connection of its own: `.commit` or `.rollback`, for good. Without a fence the transaction
    /// is rolled back by writing one against it.
    ///
    /// - Throws: ``EscrowError`` while the database cannot be read or written; ask again later.
    public func settle() async throws -> Verdict {
        let id = id
        if let verdict = try await writer.read({ try Fence.verdict($0, id) }) { return verdict }
        do {
            return try await writer.perform { db, context in
                try Fence.decide(db, id, kind: TransactionKind.fenced, now: context.now)
            }
        } catch let refusal as WriterRefusal {
            throw refusal.trouble.error
        }
    }
}

/// Kinds of transactions: who answers their check-backs.
enum TransactionKind {
    /// Those of ``Escrow/transaction(_:body:)`` and its like, answered from the fence.
    static let fenced = "fenced"
}
