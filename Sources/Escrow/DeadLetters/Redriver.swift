import Foundation
import GRDB
import Logging
import MQProtocol

/// Handles dead letters again when somebody wants it: oldest first, in this service and without the broker, so that
/// neither its retention nor other consumers of the topic matter.
///
/// After a failure the later letters of the same ordering key are not tried: their turn comes after it.
struct Redriver: Sendable {
    let consumers: [String: EventConsumer]
    let firing: Firing
    let writer: Writer
    let logger: Logger
    let alarm: Alarm

    private static let batch = 64
    private static let pollInterval = Duration.seconds(1)

    /// Runs until the task is cancelled. Another process may want letters too, so the table is looked at regularly.
    func run() async {
        while !Task.isCancelled {
            await redrive()
            await alarm.wait(until: writer.time.now().advanced(by: Self.pollInterval), by: writer.time)
        }
    }

    private func redrive() async {
        while !Task.isCancelled {
            do {
                let wanted = try await writer.read { try DeadLetterTable.wanted($0, limit: Self.batch) }
                guard !wanted.isEmpty else { return }
                for (id, letter) in wanted {
                    // After a failure the list is read again: it holds back, and somebody may want it anew.
                    guard try await redrive(id, letter) else { break }
                }
            } catch {
                return logger.warning("dead letters cannot be redriven now", metadata: ["error": "\(error)"])
            }
        }
    }

    /// - Returns: whether its handler committed, or was not needed.
    /// - Throws: ``WriterRefusal`` while the database is in trouble; the letter stays wanted.
    private func redrive(_ id: Int64, _ letter: DeadLetterTable.Letter) async throws -> Bool {
        do {
            let run = try prepare(letter)
            try await writer.perform { db, context in
                // Held back by an earlier one of its key, or discarded since it was read.
                guard try DeadLetterTable.isWanted(db, id) else { return }
                try run(db, context)
                try DeadLetterTable.redriven(db, id, now: context.now)
            }
            return true
        } catch let refusal as WriterRefusal {
            throw refusal
        } catch {
            let reason = String("\(error)".prefix(2000))
            try await writer.perform { db, context in
                try DeadLetterTable.failedAgain(db, id, reason: reason, now: context.now)
            }
            return false
        }
    }

    private func prepare(
        _ letter: DeadLetterTable.Letter
    ) throws -> @Sendable (Database, GroupContext) throws -> Void {
        if Undeliverable.holds(letter) {
            return { db, context in try Undeliverable.putBack(db, letter, context) }
        }
        if letter.tag == DeadlineRing.tag, letter.topic == firing.service.deadlineTopic {
            return try prepareDeadline(letter)
        }
        let address = EventAddress(topic: letter.topic, tag: letter.tag)
        guard let consumer = consumers[letter.consumer], let handler = consumer.handlers[address] else {
            throw HopelessDelivery(
                description: "this service has no handler \"\(letter.consumer)\" for \(letter.tag) any more")
        }
        let event = try handler.prepare(letter.body)
        return { db, context in
            // Written by somebody else meanwhile: its effect has happened.
            if try InboxTable.enter(db, consumer: letter.consumer, key: letter.idempotencyKey, now: context.now)
                == .handled
            {
                return
            }
            // A row at the end: the oldest are purged from the front.
            try InboxTable.forgetDead(db, consumer: letter.consumer, key: letter.idempotencyKey)
            _ = try InboxTable.enter(db, consumer: letter.consumer, key: letter.idempotencyKey, now: context.now)
            let trace = consumer.pieces.service.traces.context(of: letter.trace)
            try consumer.pieces.run(event, of: letter, in: trace, db, context)
        }
    }

    private func prepareDeadline(
        _ letter: DeadLetterTable.Letter
    ) throws -> @Sendable (Database, GroupContext) throws -> Void {
        let deadline = try JSONCodec.decoder.decode(DeadlineRing.self, from: letter.body).deadline
        guard let handler = firing.handlers[deadline.name] else {
            throw HopelessDelivery(description: "nothing handles deadlines named \"\(deadline.name)\" any more")
        }
        return { db, context in
            guard let due = try DeadlineTable.fireDead(db, deadline, now: context.now) else { return }
            try firing.run(handler, due, in: firing.service.traces.context(of: letter.trace), db, context)
            context.count(.deadlinesFired)
        }
    }
}
