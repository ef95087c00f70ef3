import Foundation
import GRDB
import Logging
import MQClient
import MQProtocol
import NIOCore
import Tracing

/// Fires due deadlines: on the ring of the broker's timer, and from the sweeper when the ring is missing.
struct Firing: Sendable {
    let service: ServiceContext
    let handlers: [String: DeadlineHandler]
    /// Tests let runs of handlers fail here.
    var afterHandler: @Sendable (_ consumer: String, _ key: String) throws -> Void = { _, _ in }
    let writer: Writer
    let logger: Logger

    /// The consumer name under which failed attempts and dead letters of a deadline stand.
    static func consumer(_ name: String) -> String { "deadline:\(name)" }

    /// A deadline that may be due.
    struct Candidate: Sendable {
        var deadline: Deadline
        /// Of its ring; nil takes the row as it is.
        var generation: Int64?
        /// Where it was armed; nil when nobody traces, or nobody rang.
        var trace: InstrumentationContext?
    }

    // MARK: Rings

    /// The handler of the push consumer of rings. A ring is only a hint, so each is acknowledged whatever it finds.
    func handle(_ messages: [ReceivedMessage]) async -> [ConsumeOutcome] {
        writer.steps.reached(.deadlineRang)
        var rings: [Candidate] = []
        for message in messages {
            let body = Data(message.body.readableBytesView)
            guard let ring = try? JSONCodec.decoder.decode(DeadlineRing.self, from: body) else {
                logger.error("a ring cannot be read", metadata: ["message": "\(message.messageID)"])
                continue
            }
            // Of another database: its owner's sweeper fires it.
            guard ring.database == service.identity else { continue }
            rings.append(
                Candidate(
                    deadline: ring.deadline, generation: ring.generation,
                    trace: service.traces.context(of: message.properties)))
        }
        let isTroubled = await fire(rings)
        return isTroubled ? [.suspend(EventConsumer.troublePause)] : messages.map { _ in .consumed }
    }

    /// - Returns: whether the database was in trouble for any of them.
    func fire(_ due: [Candidate]) async -> Bool {
        var pending = due
        var isTroubled = false
        while !pending.isEmpty {
            let batch = pending
            let results = await withCheckedContinuation { continuation in
                let tally = Tally(batch.count) { continuation.resume(returning: $0) }
                writer.add(
                    batch.enumerated().map { index, item in
                        piece(item) { tally.set($0, at: index) }
                    })
            }
            pending = []
            for (item, result) in zip(batch, results) {
                switch result {
                case .again: pending.append(item)
                case .trouble: isTroubled = true
                default: break
                }
            }
        }
        return isTroubled
    }

    private func piece(
        _ candidate: Candidate, completion: @escaping @Sendable (Delivery.Result) -> Void
    ) -> Piece {
        let verdict = ResultBox()
        return Piece(
            body: { db, context in try fire(candidate, db, context) },
            afterFailure: { db, context, error in
                verdict.set(try recordFailure(of: candidate, error, db, context))
            },
            completion: { result in
                switch result {
                case .refused(let trouble), .inDoubt(let trouble): completion(.trouble(trouble))
                case .committed: completion(.settled)
                case .failed: completion(verdict.get() ?? .settled)
                }
            })
    }

    // MARK: Inside the SQLite transaction

    private func fire(_ candidate: Candidate, _ db: Database, _ context: GroupContext) throws {
        let deadline = candidate.deadline
        guard let handler = handlers[deadline.name] else {
            return logger.error("nothing handles a deadline that rang", metadata: ["deadline": "\(deadline)"])
        }
        let (found, current) = try DeadlineTable.fire(
            db, deadline, generation: candidate.generation, now: context.now)
        switch found {
        case .stale:
            context.count(.staleRings)
        case .early(let due):
            let ring = DeadlineRing(deadline, generation: current, database: service.identity)
            let trace = candidate.trace.flatMap(service.traces.headers)
            let outgoing = try ring.outgoing(due: due, topic: service.deadlineTopic, trace: trace)
            try context.publish(db, outgoing)
        case .due(let due):
            writer.steps.reached(.deadlineFired)
            let fired = DueDeadline(deadline: deadline, generation: current, due: due)
            try run(handler, fired, in: candidate.trace, db, context)
            if try context.attemptsExist(db) {
                try InboxTable.clearAttempts(db, consumer: Self.consumer(deadline.name), key: deadline.key)
            }
            context.deadlineFired(late: due.duration(to: context.now))
        }
    }

    func run(
        _ handler: DeadlineHandler, _ due: DueDeadline, in trace: InstrumentationContext?, _ db: Database,
        _ context: GroupContext
    ) throws {
        let transaction = Transaction(
            database: db, now: context.now, context: context, service: service, fence: nil)
        let outcome = try service.traces.handling(
            .deadline(due.deadline, topic: service.deadlineTopic), in: trace
        ) { try handler.run(due, transaction) }
        try afterHandler(Self.consumer(due.deadline.name), due.key)
        switch outcome {
        case .done, .late, .ignored: break
        case .retry(let delay): throw RetryWanted(delay: delay)
        case .deadLetter(let reason): throw HopelessDelivery(description: reason)
        }
    }

    /// The row is armed again, because the savepoint was undone; the sweeper tries it when it is time.
    private func recordFailure(
        of candidate: Candidate, _ error: any Error, _ db: Database, _ context: GroupContext
    ) throws -> Delivery.Result {
        let deadline = candidate.deadline
        guard let handler = handlers[deadline.name] else { return .settled }
        let consumer = Self.consumer(deadline.name)
        let reason = String("\(error)".prefix(2000))
        let failures = try InboxTable.addAttempt(
            db, consumer: consumer, key: deadline.key, reason: reason, now: context.now)
        context.attemptAdded()
        switch handler.policy.decide(failures: failures, error: error) {
        case .again:
            context.count(.retries)
            return .again
        case .after(let delay):
            context.count(.retries)
            try DeadlineTable.retry(db, deadline, at: context.now.advanced(by: delay))
            return .later(delay)
        case .giveUp:
            try DeadlineTable.giveUp(db, deadline, now: context.now)
            try DeadLetterTable.insert(
                db, try letter(candidate, now: context.now), reason: reason, attempts: failures, now: context.now)
            try InboxTable.clearAttempts(db, consumer: consumer, key: deadline.key)
            context.count(.deadLetters)
            return .dead
        }
    }

    private func letter(_ candidate: Candidate, now: Timestamp) throws -> DeadLetterTable.Letter {
        let deadline = candidate.deadline
        let ring = DeadlineRing(deadline, generation: 0, database: service.identity)
        return DeadLetterTable.Letter(
            consumer: Self.consumer(deadline.name), idempotencyKey: deadline.key, orderingKey: nil,
            topic: service.deadlineTopic, tag: DeadlineRing.tag, body: try JSONCodec.encoder.encode(ring),
            messageID: "", born: now, trace: candidate.trace.flatMap(service.traces.headers))
    }
}
