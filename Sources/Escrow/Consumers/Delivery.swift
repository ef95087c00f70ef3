import Foundation
import GRDB
import MQClient
import MQProtocol
import Tracing

/// One message on its way through a handler.
struct Delivery: Sendable {
    enum Content: Sendable {
        case event(PreparedEvent, RetryPolicy)
        /// The body is no such event: nothing but a dead letter helps.
        case unreadable(String)
    }

    var content: Content
    var letter: DeadLetterTable.Letter
    /// Where it was published; nil when nobody traces.
    var trace: InstrumentationContext?

    /// What became of it in one group.
    enum Result: Sendable {
        /// Committed, now or before: nobody needs the message again.
        case settled
        /// Given up, now or before.
        case dead
        case again
        case later(Duration)
        /// Not run, because an earlier one of the batch has to be handled first.
        case held
        /// The database could not do it.
        case trouble(DatabaseTrouble)
    }
}

/// Turns deliveries of one consumer into pieces for the writer.
struct DeliveryPieces: Sendable {
    let service: ServiceContext
    let consumer: String
    /// Tests let runs of handlers fail here.
    var afterHandler: @Sendable (_ consumer: String, _ key: String) throws -> Void = { _, _ in }

    /// - Parameters:
    ///   - batch: shared by the messages of one queue: after a failure of an ordered one, the later ones are held.
    ///   - place: in the batch.
    func piece(
        _ delivery: Delivery, in batch: BatchGate, at place: Int,
        completion: @escaping @Sendable (Delivery.Result) -> Void
    ) -> Piece {
        let verdict = ResultBox()
        return Piece(
            body: { db, context in
                guard batch.admits(place) else { throw HeldBack() }
                do {
                    verdict.set(try handle(delivery, db, context))
                } catch {
                    // What comes after it in its lane must not overtake it.
                    if DatabaseTrouble(error) != nil { batch.close(behind: place, delivery) }
                    throw error
                }
            },
            afterFailure: { db, context, error in
                if error is HeldBack { return }
                do {
                    let made = try recordFailure(of: delivery, error, db, context)
                    verdict.set(made)
                    if case .dead = made { return }
                } catch {
                    batch.close(behind: place, delivery)
                    throw error
                }
                batch.close(behind: place, delivery)
            },
            completion: { result in
                let made = Self.result(result, verdict)
                if case .trouble = made { batch.close(behind: place, delivery) }
                completion(made)
            })
    }

    // MARK: Inside the SQLite transaction

    private func handle(_ delivery: Delivery, _ db: Database, _ context: GroupContext) throws -> Delivery.Result {
        let key = delivery.letter.idempotencyKey
        switch try InboxTable.enter(db, consumer: consumer, key: key, now: context.now) {
        case .handled:
            context.count(.duplicatesSuppressed)
            return .settled
        case .dead:
            return .dead
        case .entered:
            break
        }
        if try context.attemptsExist(db),
            let pause = try InboxTable.pause(db, consumer: consumer, key: key, now: context.now)
        {
            throw NotYet(pause: pause)
        }
        guard case .event(let event, _) = delivery.content else {
            guard case .unreadable(let reason) = delivery.content else { preconditionFailure("content has two cases") }
            throw HopelessDelivery(description: reason)
        }
        try run(event, of: delivery.letter, in: delivery.trace, db, context)
        return .settled
    }

    /// Runs the handler and records what it said. The inbox row is there.
    func run(
        _ event: PreparedEvent, of letter: DeadLetterTable.Letter, in trace: InstrumentationContext?, _ db: Database,
        _ context: GroupContext
    ) throws {
        let key = letter.idempotencyKey
        let transaction = Transaction(
            database: db, now: context.now, context: context, service: service, fence: nil)
        let outcome = try service.traces.handling(.event(letter), in: trace) { try event.run(transaction) }
        try afterHandler(consumer, key)
        switch outcome {
        case .done: break
        case .late: try record("late", nil, key, db, context)
        case .ignored(let reason): try record("ignored", reason, key, db, context)
        case .retry(let delay): throw RetryWanted(delay: delay)
        case .deadLetter(let reason): throw HopelessDelivery(description: reason)
        }
        context.count(.handled)
        if try context.attemptsExist(db) { try InboxTable.clearAttempts(db, consumer: consumer, key: key) }
    }

    private func record(
        _ outcome: String, _ reason: String?, _ key: String, _ db: Database, _ context: GroupContext
    ) throws {
        try InboxTable.record(db, consumer: consumer, key: key, outcome: outcome, reason: reason, now: context.now)
    }

    private func recordFailure(
        of delivery: Delivery, _ error: any Error, _ db: Database, _ context: GroupContext
    ) throws -> Delivery.Result {
        let key = delivery.letter.idempotencyKey
        // No attempt: a queue rests for half a minute at most, a policy may say more.
        if let notYet = error as? NotYet { return .later(notYet.pause) }
        let reason = String("\(error)".prefix(2000))
        let failures = try InboxTable.addAttempt(db, consumer: consumer, key: key, reason: reason, now: context.now)
        context.attemptAdded()
        let policy =
            if case .event(_, let policy) = delivery.content { policy } else { RetryPolicy(immediate: 0, delays: []) }
        switch policy.decide(failures: failures, error: error) {
        case .again:
            context.count(.retries)
            return .again
        case .after(let delay):
            context.count(.retries)
            try InboxTable.postpone(db, consumer: consumer, key: key, until: context.now.advanced(by: delay))
            return .later(delay)
        case .giveUp:
            var letter = delivery.letter
            letter.trace = delivery.trace.flatMap(service.traces.headers)
            try DeadLetterTable.insert(db, letter, reason: reason, attempts: failures, now: context.now)
            try record("dead", reason, key, db, context)
            try InboxTable.clearAttempts(db, consumer: consumer, key: key)
            context.count(.deadLetters)
            return .dead
        }
    }

    private static func result(_ result: PieceResult, _ verdict: ResultBox) -> Delivery.Result {
        switch result {
        case .committed: verdict.get() ?? .held
        case .failed(let error):
            if error is HeldBack { .held } else { verdict.get() ?? .later(.seconds(1)) }
        // In doubt: delivered again, and the inbox tells.
        case .refused(let trouble), .inDoubt(let trouble): .trouble(trouble)
        }
    }

    private struct HeldBack: Error {}

    private struct NotYet: Error {
        var pause: Duration
    }
}
