import MQProtocol
import NIOCore
import TestSupport

/// Producers that keep a fixed number of sends in flight over several queues: one-message sends in both spellings and
/// batches.
struct Load: Sendable {
    var client: RawClient
    var journal: Journal
    var queues: [QueueName]
    var senders = 32
    /// Senders of different rounds on one store are different senders.
    var round: Int
    var seed: UInt64

    /// Sends until `count` messages were acknowledged, then calls `strike` once.
    ///
    /// - Parameter strike: what ends the broker; everyone then sends on until no answer comes. Nil: everyone stops.
    func run(acknowledgements count: Int, strike: (@Sendable () -> Void)?) async {
        journal.setGoal(count)
        await withTaskGroup(of: Void.self) { group in
            for sender in 0..<senders {
                group.addTask { await send(as: sender, strike: strike) }
            }
        }
    }

    private func send(as index: Int, strike: (@Sendable () -> Void)?) async {
        let sender = round * 1000 + index
        var generator = SeededGenerator(seed: seed &+ UInt64(sender) &* 0x1_0001)
        while strike != nil || !journal.isGoalReached {
            let queue = queues[Int.random(in: 0..<queues.count, using: &generator)]
            let isBatch = Int.random(in: 0..<5, using: &generator) == 0
            let numbers = journal.begin(isBatch ? Int.random(in: 2...8, using: &generator) : 1, to: queue, by: sender)
            guard let answer = try? await send(numbers, to: queue, usesLongNames: Bool.random(using: &generator)) else {
                return
            }
            switch answer.code {
            case .success:
                let first = Place(queue: queue, offset: answer.queueOffset)
                if journal.acknowledge(numbers, from: first) { strike?() }
            case .flushDiskTimeout:
                continue
            default:
                journal.refuse(answer)
                return
            }
        }
    }

    private func send(_ numbers: [Int64], to queue: QueueName, usesLongNames: Bool) async throws -> SendAnswer {
        let messages = numbers.map { Payload.message($0, to: queue) }
        if messages.count == 1 { return try await client.send(messages[0], usesLongNames: usesLongNames) }
        return try await client.sendBatch(messages)
    }
}
