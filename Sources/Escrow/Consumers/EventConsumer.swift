import Foundation
import Logging
import MQClient
import MQProtocol
import NIOCore

/// Hands the batches of one consumer's queues to the writer and says to the broker what became of them.
///
/// Queues are read in order, one batch at a time. A message with an ordering key that fails stops its queue until it
/// is handled or given up; one without is sent back to the broker and holds up nobody.
struct EventConsumer: Sendable {
    let name: String
    let handlers: [EventAddress: EventHandler]
    let pieces: DeliveryPieces
    let writer: Writer
    let logger: Logger

    /// By topic, the tags that have a handler.
    var subscriptions: [String: String] {
        Dictionary(grouping: handlers.keys, by: \.topic).mapValues { $0.map(\.tag).sorted().joined(separator: " || ") }
    }

    /// How long a queue rests while the database is in trouble.
    static let troublePause = Duration.seconds(1)

    /// The handler of a push consumer. Outcomes are in the order of the messages.
    func handle(_ messages: [ReceivedMessage]) async -> [ConsumeOutcome] {
        let deliveries = messages.map(delivery)
        var outcomes = [ConsumeOutcome?](repeating: nil, count: messages.count)
        var pending = Array(messages.indices)
        while !pending.isEmpty {
            let results = await run(pending.map { deliveries[$0] })
            guard results.contains(where: { !$0.isHeld }) else {
                logger.error("a consumer pauses", metadata: ["consumer": "\(name)", "reason": "nothing of it ran"])
                return suspended(from: outcomes)
            }
            var next: [Int] = []
            for (index, result) in zip(pending, results) {
                switch result {
                case .settled: outcomes[index] = .consumed
                case .dead: outcomes[index] = deliveries[index]?.letter.orderingKey == nil ? .deadLetter : .consumed
                case .again, .held: next.append(index)
                case .later(let delay): outcomes[index] = later(delay, deliveries[index])
                case .trouble(let trouble):
                    logger.error("a consumer pauses", metadata: ["consumer": "\(name)", "reason": "\(trouble)"])
                    return suspended(from: outcomes)
                }
            }
            // What stands behind a message that stops the queue comes again with it.
            let stop = outcomes.firstIndex { $0?.isSuspension ?? false } ?? messages.endIndex
            pending = next.filter { $0 < stop }
        }
        writer.steps.reached(.deliveriesCommitted)
        let stop = outcomes.firstIndex { $0?.isSuspension ?? false } ?? messages.endIndex - 1
        return outcomes[...stop].map { $0 ?? .consumed }
    }

    /// Delivers once more what was consumed, as a broker may.
    func handleAgain(
        _ messages: [ReceivedMessage], _ outcomes: [ConsumeOutcome], where doubles: (String) -> Bool
    ) async {
        let again = zip(messages, outcomes).filter { message, outcome in
            outcome == .consumed && doubles(message.properties[EventProperty.idempotencyKey] ?? "")
        }
        if !again.isEmpty { _ = await handle(again.map(\.0)) }
    }

    /// The settled head of the batch, and a pause before the rest.
    private func suspended(from outcomes: [ConsumeOutcome?]) -> [ConsumeOutcome] {
        outcomes.prefix { $0 != nil }.map { $0 ?? .consumed } + [.suspend(Self.troublePause)]
    }

    private func later(_ delay: Duration, _ delivery: Delivery?) -> ConsumeOutcome {
        if delivery?.letter.orderingKey != nil { return .suspend(delay) }
        return .retryLater(level: DelayLevels.standard.shortest(atLeast: delay))
    }

    /// Nil for a message that this consumer has no handler for: the broker's filter compares hashes only.
    private func delivery(_ message: ReceivedMessage) -> Delivery? {
        guard let handler = handlers[EventAddress(topic: message.topic, tag: message.tag ?? "")] else { return nil }
        let body = Data(message.body.readableBytesView)
        var letter = DeadLetterTable.Letter(
            consumer: name,
            idempotencyKey: message.properties[EventProperty.idempotencyKey] ?? message.messageID,
            orderingKey: message.properties[EventProperty.orderingKey],
            topic: message.topic,
            tag: handler.tag,
            body: body,
            messageID: message.messageID,
            born: message.bornTimestamp)
        let trace = pieces.service.traces.context(of: message.properties)
        if let reason = message.unreadable {
            return Delivery(content: .unreadable("the body cannot be read: \(reason)"), letter: letter, trace: trace)
        }
        do {
            let event = try handler.prepare(body)
            letter.idempotencyKey = event.idempotencyKey
            letter.orderingKey = event.orderingKey
            return Delivery(content: .event(event, handler.policy), letter: letter, trace: trace)
        } catch {
            let reason = "the body is no \(handler.tag): \(error)"
            return Delivery(content: .unreadable(reason), letter: letter, trace: trace)
        }
    }

    /// Puts the deliveries into the writer together and waits for all of them.
    private func run(_ deliveries: [Delivery?]) async -> [Delivery.Result] {
        let gate = BatchGate()
        return await withCheckedContinuation { continuation in
            let tally = Tally(deliveries.count) { continuation.resume(returning: $0) }
            var batch: [Piece] = []
            for (index, delivery) in deliveries.enumerated() {
                guard let delivery else {
                    tally.set(.settled, at: index)
                    continue
                }
                batch.append(pieces.piece(delivery, in: gate, at: index) { tally.set($0, at: index) })
            }
            writer.add(batch)
        }
    }
}

extension Delivery.Result {
    fileprivate var isHeld: Bool {
        if case .held = self { true } else { false }
    }
}

extension ConsumeOutcome {
    fileprivate var isSuspension: Bool {
        if case .suspend = self { true } else { false }
    }
}
