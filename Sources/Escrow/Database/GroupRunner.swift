import GRDB
import MQProtocol

/// What a group has committed to the outbox.
enum Published: Sendable {
    case nothing
    /// These rows, one behind the other.
    case rows([OutboxRow])
    /// It has to be read.
    case unread
}

/// Runs a group of pieces in one SQLite transaction, each in a savepoint.
///
/// Some errors end the whole transaction and not only the statement: a full disk, an input/output error, no memory, an
/// interrupt, `RAISE(ROLLBACK)`. After each failure SQLite is asked whether the transaction is still there; if not,
/// nothing of the group happened, and every piece runs again in a transaction of its own, so that only the culprit
/// fails. The same when COMMIT finds a deferred constraint violated.
struct GroupRunner {
    struct Done {
        /// One for each piece that ran; the rest is to be put back.
        var results: [PieceResult]
        var published = Published.nothing
        var counts: [Counter: Int64] = [:]
        /// Of the deadlines that fired.
        var lateness: [Duration] = []
    }

    let db: Database
    let time: TimeSource
    let steps: StepObserver
    /// How long one SQLite transaction may gather: beyond this, who waits for the first piece waits for nothing.
    var longest = Duration.milliseconds(5)

    func run(_ pieces: [Piece]) -> Done {
        let context = GroupContext(now: time.now())
        do {
            try db.beginTransaction(.immediate)
        } catch {
            return Done(results: pieces.map { _ in .refused(trouble(error)) })
        }
        var results: [PieceResult] = []
        let started = ContinuousClock.now
        for piece in pieces {
            let result = run(piece, context)
            guard db.isInsideTransaction else { return alone(pieces, lost: result) }
            results.append(result)
            if started.duration(to: .now) > longest { break }
        }
        do {
            try context.store(db)
            let published = try published(context)
            steps.reached(.beforeCommit)
            try db.commit()
            return Done(
                results: results, published: published, counts: context.counts, lateness: context.lateness)
        } catch {
            return commitFailed(error, pieces.prefix(results.count), results)
        }
    }

    /// Rows are handed over only when they are certainly there: a body may have undone a part of its writes itself.
    private func published(_ context: GroupContext) throws -> Published {
        let rows = context.published
        guard let first = rows.first?.sequence else { return .nothing }
        let isComplete = zip(rows, first...).allSatisfy { $0.sequence == $1 }
        guard isComplete, try OutboxTable.lastSequence(db) == rows.last?.sequence else { return .unread }
        return .rows(rows)
    }

    // MARK: One piece

    private func run(_ piece: Piece, _ context: GroupContext) -> PieceResult {
        context.mark()
        do {
            try savepoint { try piece.body(db, context) }
            return .committed
        } catch {
            context.takeBack()
            if let trouble = DatabaseTrouble(error) { return .refused(trouble) }
            guard db.isInsideTransaction, let afterFailure = piece.afterFailure else { return .failed(error) }
            do {
                try savepoint { try afterFailure(db, context, error) }
                return .failed(error)
            } catch let second {
                context.takeBack()
                return DatabaseTrouble(second).map(PieceResult.refused) ?? .failed(second)
            }
        }
    }

    private func savepoint(_ body: () throws -> Void) throws {
        try db.cachedStatement(sql: "SAVEPOINT escrow").execute()
        do {
            try body()
            try db.cachedStatement(sql: "RELEASE escrow").execute()
        } catch {
            if db.isInsideTransaction {
                try db.execute(sql: "ROLLBACK TO escrow")
                try db.execute(sql: "RELEASE escrow")
            }
            throw error
        }
    }

    // MARK: When the transaction is gone

    /// - Parameter lost: the result of the piece during which the transaction ended.
    private func alone(_ pieces: [Piece], lost: PieceResult) -> Done {
        guard pieces.count > 1 else { return Done(results: [failedAlone(pieces[0], lost)]) }
        var done = Done(results: [])
        for piece in pieces {
            if let trouble = done.results.last.flatMap(Self.stops) {
                done.results.append(.refused(trouble))
                continue
            }
            let one = run([piece])
            done.results.append(contentsOf: one.results)
            done.counts.merge(one.counts, uniquingKeysWith: +)
            done.lateness += one.lateness
            if case .nothing = one.published { continue }
            done.published = .unread
        }
        return done
    }

    /// A lock that is not to be had, and a COMMIT that failed, meet the next piece too: it would wait as long, and of a
    /// lane nothing may overtake what was refused. (What a body suffers closes the gate of its own batch.)
    private static func stops(_ result: PieceResult) -> DatabaseTrouble? {
        switch result {
        case .inDoubt(let trouble): trouble
        case .refused(.busy(let text)): .busy(text)
        case .committed, .failed, .refused: nil
        }
    }

    /// The failure of a piece that took its transaction with it is remembered in another one.
    private func failedAlone(_ piece: Piece, _ result: PieceResult) -> PieceResult {
        guard case .failed(let error) = result, let afterFailure = piece.afterFailure else { return result }
        let record = Piece(body: { try afterFailure($0, $1, error) }, completion: { _ in })
        switch run([record]).results[0] {
        case .committed: return .failed(error)
        case let other: return other
        }
    }

    private func commitFailed(
        _ error: any Error, _ pieces: ArraySlice<Piece>, _ results: [PieceResult]
    ) -> Done {
        let wasOpen = db.isInsideTransaction
        if wasOpen { try? db.rollback() }
        guard let trouble = DatabaseTrouble(error) else {
            // A deferred constraint: undone as a whole, so each piece shows whether it is the culprit.
            if pieces.count > 1 { return alone(Array(pieces), lost: .failed(error)) }
            return Done(results: pieces.map { failedAlone($0, .failed(error)) })
        }
        // A lock that was not to be had leaves the transaction open, and the rollback above ended it for certain. After
        // a failed write or flush the commit record may or may not have reached the file.
        if case .busy = trouble, wasOpen { return Done(results: pieces.map { _ in .refused(trouble) }) }
        return Done(
            results: results.map { result in
                if case .committed = result { .inDoubt(trouble) } else { .refused(trouble) }
            })
    }

    private func trouble(_ error: any Error) -> DatabaseTrouble {
        DatabaseTrouble(error) ?? .failing("\(error)")
    }
}
