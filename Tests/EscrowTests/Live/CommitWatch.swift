import GRDB

/// Tells of every commit of these pools. (GRDB's observations see no changes of tables without rowid.)
final class CommitWatch: TransactionObserver {
    let commits: AsyncStream<Void>
    private let continuation: AsyncStream<Void>.Continuation

    init(_ pools: [DatabasePool]) {
        (commits, continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
        // What is there already counts too.
        continuation.yield()
        for pool in pools { pool.add(transactionObserver: self, extent: .observerLifetime) }
    }

    func observes(eventsOfKind eventKind: DatabaseEventKind) -> Bool { true }

    func databaseDidChange(with event: DatabaseEvent) {}

    func databaseDidCommit(_ db: Database) { continuation.yield() }

    func databaseDidRollback(_ db: Database) {}
}
