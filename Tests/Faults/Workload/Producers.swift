import MQClient
import MQProtocol
import TestSupport

/// Senders of every kind, each of which waits for its answer before its next message.
struct Producers: Sendable {
    /// When a sender stops.
    enum Patience: Sendable {
        /// At its first error: the broker is gone.
        case none
        /// When the journal says that it is over: the broker is expected back.
        case endless
    }

    static let consumerGroup = "FaultConsumer"

    var client: MQClient
    var transactions: TransactionProducer
    var journal: Journal
    /// Senders of different rounds on one store are different senders.
    var round: Int
    var seed: UInt64
    var patience = Patience.none
    var singles = 8
    var batches = 2
    var keys = 3

    private enum Role: CaseIterable { case single, batch, ordered, delayed, transactional }

    func run() async {
        let roles =
            Array(repeating: Role.single, count: singles) + Array(repeating: .batch, count: batches)
            + Array(repeating: .ordered, count: keys) + [.delayed, .transactional, .transactional]
        await withDiscardingTaskGroup { others in
            others.addTask { await consume() }
            await withDiscardingTaskGroup { senders in
                for (index, role) in roles.enumerated() {
                    let sender = round * 100 + index
                    senders.addTask { await send(role, as: sender) }
                }
            }
            others.cancelAll()
        }
    }

    private func send(_ role: Role, as sender: Int) async {
        var generator = SeededGenerator(seed: seed &+ UInt64(sender) &* 0x1_0001)
        while !journal.isOver {
            do {
                switch role {
                case .single: try await sendSingle(sender, &generator)
                case .batch: try await sendBatch(sender, &generator)
                case .ordered: try await sendOrdered(sender)
                case .delayed: try await sendDelayed(sender, &generator)
                case .transactional: try await sendTransaction(sender, &generator)
                }
            } catch {
                journal.refused(Self.cause(of: error))
                if case .none = patience { return }
                try? await TimeSource.system.sleep(for: .milliseconds(20))
            }
        }
    }

    /// As the broker quotes the system.
    static let noSpace = "No space left on device"

    private static func cause(of error: any Error) -> String {
        guard let error = error as? MQClientError else { return "\(error)" }
        return error.message.contains(noSpace) ? noSpace : error.code.description
    }

    private func message(_ number: Int64, _ topic: String) -> Message {
        var message = Message(topic: topic, body: Payload.body(number))
        message.keys = [Payload.key(number)]
        message.tag = Payload.tag(number)
        message.properties = [Payload.noteName: Payload.note(number)]
        message.flag = Payload.flag(number)
        return message
    }

    /// An answer that does not promise safety leaves the messages in flight.
    private func acknowledge(_ numbers: [Int64], _ receipt: SendReceipt) {
        guard receipt.status == .stored else { return journal.refused(receipt.status.rawValue) }
        journal.acknowledge(numbers, from: Place(queue: QueueName(receipt.queue), offset: receipt.queueOffset))
    }

    private func sendSingle(_ sender: Int, _ generator: inout SeededGenerator) async throws {
        let queue = QueueName(Topics.single, Int32.random(in: 0..<Topics.queueCount, using: &generator))
        let numbers = journal.begin(.single, topic: queue.topic, queueID: queue.queueID, sender: sender)
        acknowledge(numbers, try await client.send(message(numbers[0], queue.topic), to: queue.queue))
    }

    private func sendBatch(_ sender: Int, _ generator: inout SeededGenerator) async throws {
        let count = Int.random(in: 2...8, using: &generator)
        let numbers = journal.begin(.batch, count: count, topic: Topics.batch, queueID: nil, sender: sender)
        acknowledge(numbers, try await client.send(numbers.map { message($0, Topics.batch) }))
    }

    private func sendOrdered(_ sender: Int) async throws {
        let numbers = journal.begin(.ordered, topic: Topics.ordered, queueID: nil, sender: sender)
        acknowledge(
            numbers, try await client.send(message(numbers[0], Topics.ordered), orderedBy: "key-\(sender % 100)"))
    }

    private func sendDelayed(_ sender: Int, _ generator: inout SeededGenerator) async throws {
        let delay = delay(&generator)
        let number = journal.begin(.delayed(delay), topic: Topics.delayed, queueID: nil, sender: sender)[0]
        var message = message(number, Topics.delayed)
        message.delay = delay.levelSince == nil ? .at(delay.due) : .level(1)
        let receipt = try await client.send(message)
        guard receipt.status == .stored else { return journal.refused(receipt.status.rawValue) }
        journal.acknowledge([number], from: nil)
    }

    /// One in fifty is long, half of the others are a level.
    private func delay(_ generator: inout SeededGenerator) -> Delay {
        // Before the look at the shift: were the clock set back in between, it counts from the lesser of both.
        let now = TimeSource.system.now()
        if Int.random(in: 0..<50, using: &generator) == 0 {
            let seconds = Int.random(in: Delay.longSeconds, using: &generator)
            return Delay(due: now.advanced(by: .seconds(seconds)), isLong: true)
        }
        if Bool.random(using: &generator) {
            return Delay(due: now.advanced(by: journal.clockShift + Delay.level), levelSince: now)
        }
        return Delay(due: now.advanced(by: .milliseconds(Int.random(in: 50...1500, using: &generator))))
    }

    /// One in eight is left to a check-back, which finds it undecided and rolls it back.
    private func sendTransaction(_ sender: Int, _ generator: inout SeededGenerator) async throws {
        let choice = Int.random(in: 0..<8, using: &generator)
        let number = journal.begin(.transactional, topic: Topics.transactional, queueID: nil, sender: sender)[0]
        let half = try await transactions.sendHalf(message(number, Topics.transactional))
        guard half.status == .stored else { return journal.refused(half.status.rawValue) }
        journal.acknowledge([number], from: nil)
        guard choice > 0 else { return }
        let verdict = journal.decide(number, choice < 6 ? .commit : .rollback)
        let answer = try await transactions.end(half, verdict == .commit ? .commit : .rollback)
        switch answer {
        case .accepted: journal.noteAccepted(number)
        case .opposite: journal.refused("the opposite verdict is final")
        case .unknownHalf, .unanswered: break
        }
    }

    /// A consumer that is done with what was acknowledged, in order: its offset may never be ahead of that.
    private func consume() async {
        let queue = QueueName(Topics.ordered, 0)
        while !journal.isOver, !Task.isCancelled {
            do {
                let end = try await client.maximumOffset(of: queue.queue)
                journal.consume(queue, below: end)
                try await client.setConsumerOffset(end, of: queue.queue, group: Self.consumerGroup)
                journal.confirm(queue, end)
                try await TimeSource.system.sleep(for: .milliseconds(10))
            } catch {
                if case .none = patience { return }
                try? await TimeSource.system.sleep(for: .milliseconds(20))
            }
        }
    }
}
