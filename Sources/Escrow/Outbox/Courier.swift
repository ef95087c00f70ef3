import Foundation
import Logging
import MQClient
import MQProtocol
import NIOCore
import Synchronization

/// Hands one row of the outbox to its broker. The row stays until the broker has answered: a crash or a lost answer may
/// repeat a message, which inboxes absorb, and nothing absorbs a loss.
struct Courier: Sendable {
    enum Result: Sendable {
        /// The broker has it, as safe as it makes messages.
        case acknowledged
        /// The broker does not have the half any more, or its final verdict is the other one.
        case halfIsGone(String)
        case failed(MQClientError)
        /// The message is at fault: this client does not send it, or the broker called it illegal.
        case refused(MQClientError)
    }

    let client: MQClient
    let producer: TransactionProducer
    let identity: String
    let time: TimeSource
    /// Tests withhold verdicts, so that a check-back must settle them.
    let withholds: @Sendable (String) -> Bool
    /// Tests send events again, so that inboxes must absorb them.
    var repeats: @Sendable (String) -> Bool = { _ in false }
    var logger = Logger(label: "Escrow")
    fileprivate let lonely = LonelyBrokers()

    func deliver(_ row: OutboxRow) async -> Result {
        let result = await deliverOnce(row)
        if case .acknowledged = result, repeats(row.event.idempotencyKey) { _ = try? await send(row.event) }
        return result
    }

    private func deliverOnce(_ row: OutboxRow) async -> Result {
        do throws(MQClientError) {
            guard let half = row.half else {
                return result(try await send(row.event))
            }
            if withholds(row.event.idempotencyKey) { return .acknowledged }
            switch try await row.isRepeated ? producer.endAgain(half, .commit) : producer.end(half, .commit) {
            case .accepted: return .acknowledged
            case .opposite: return .halfIsGone("its final verdict at the broker is rollback")
            case .unknownHalf: return .halfIsGone("the broker does not have it")
            case .unanswered:
                return .failed(MQClientError(.requestTimedOut, "\(half.brokerName) did not answer to a verdict."))
            }
        } catch {
            return error.isFaultOfMessage ? .refused(error) : .failed(error)
        }
    }

    /// A message that waits for its disk or its slave is lost with the machine. Sent again it comes twice.
    private func result(_ receipt: SendReceipt) -> Result {
        let broker = receipt.queue.brokerName
        switch receipt.status {
        case .stored:
            lonely.hasSlave(broker)
            return .acknowledged
        case .slaveUnavailable:
            // So it will answer to each message until somebody starts a slave, and its own disk has this one.
            if lonely.isNew(broker) {
                logger.warning("a broker that is to replicate has no slave", metadata: ["broker": "\(broker)"])
            }
            return .acknowledged
        case .flushTimedOut:
            return .failed(MQClientError(.requestTimedOut, "\(broker) has the message, but not on its disk in time."))
        case .replicationTimedOut:
            return .failed(MQClientError(.requestTimedOut, "\(broker) has the message, but its slave not in time."))
        }
    }

    private func send(_ event: OutgoingEvent) async throws(MQClientError) -> SendReceipt {
        var message = Message(event, identity: identity)
        let left = event.due.map { time.now().duration(to: $0) } ?? .zero
        guard left > .zero else { return try await send(message, orderedBy: event.orderingKey) }
        // What is left is computed when the message leaves.
        message.delay = .after(min(left, Self.longestDelay))
        do {
            return try await send(message, orderedBy: event.orderingKey)
        } catch {
            guard error.code == .unsupportedByBroker else { throw error }
            // A stock broker: the longest level that is not too long. The ring that comes early is sent on its way
            // again.
            // Within the last second the shortest level is waited for: a little late and never early.
            message.delay = .level(DelayLevels.standard.longest(within: left) ?? 1)
            return try await send(message, orderedBy: event.orderingKey)
        }
    }

    private func send(_ message: Message, orderedBy key: String?) async throws(MQClientError) -> SendReceipt {
        guard let key else { return try await client.send(message) }
        return try await client.send(message, orderedBy: key)
    }

    /// Beyond this a deadline is re-armed in hops; brokers of ours take at least as much.
    private static let longestDelay = Duration.seconds(40 * 86_400)
}

/// Brokers that have no slave and should have, so that it is said once.
private final class LonelyBrokers: Sendable {
    private let names = Mutex<Set<String>>([])

    func isNew(_ broker: String) -> Bool { names.withLock { $0.insert(broker).inserted } }

    func hasSlave(_ broker: String) { names.withLock { _ = $0.remove(broker) } }
}

extension DelayLevels {
    /// Nil when even the shortest is longer.
    func longest(within delay: Duration) -> Int? {
        milliseconds.lastIndex { .milliseconds($0) <= delay }.map { $0 + 1 }
    }

    /// The level that waits at least so long; the longest when none does.
    func shortest(atLeast delay: Duration) -> Int32 {
        Int32((milliseconds.firstIndex { .milliseconds($0) >= delay } ?? milliseconds.count - 1) + 1)
    }
}

extension Message {
    init(_ event: OutgoingEvent, identity: String) {
        self.init(topic: event.topic, body: ByteBuffer(bytes: event.body))
        tag = event.tag
        keys = event.idempotencyKey.utf8.contains(0x20) ? [] : [event.idempotencyKey]
        if let trace = event.trace {
            for (name, value) in TraceHeaders(text: trace).all { properties[name] = value }
        }
        properties[EventProperty.idempotencyKey] = event.idempotencyKey
        properties[EventProperty.database] = identity
        if let key = event.orderingKey { properties[EventProperty.orderingKey] = key }
    }
}

/// Properties of the framework's messages; all but the last are listed in MQProtocol's `ProtocolExtension`.
enum EventProperty {
    static let idempotencyKey = ProtocolExtension.idempotencyKey.name
    static let database = ProtocolExtension.database.name
    static let transaction = ProtocolExtension.transaction.name
    static let kind = ProtocolExtension.transactionKind.name
    /// RocketMQ's own, of FIFO messages.
    static let orderingKey = "__SHARDINGKEY"

    static func isOwn(_ name: String) -> Bool {
        switch name {
        case idempotencyKey, database, transaction, kind, orderingKey: true
        default: false
        }
    }
}
