import MQProtocol
import MQRemoting
import NIOCore
import Synchronization
import TestSupport

/// A half message as its producer knows it.
struct Half: Sendable {
    enum Verdict: Int32, Sendable {
        case commit = 8
        case rollback = 12
    }

    static let producerGroup = "tx-producers"

    var number: Int64
    var queueOffset: Int64
    var logOffset: Int64

    func endFields(_ verdict: Verdict, isAnswerToCheck: Bool = false) -> [(String, String)] {
        [
            ("producerGroup", Self.producerGroup), ("tranStateTableOffset", "\(queueOffset)"),
            ("commitLogOffset", "\(logOffset)"), ("commitOrRollback", "\(verdict.rawValue)"),
            ("fromTransactionCheck", "\(isAnswerToCheck)"), ("msgId", Self.uniqueKey(number)),
            ("transactionId", Self.uniqueKey(number)),
        ]
    }

    static func uniqueKey(_ number: Int64) -> String {
        let hexadecimal = String(number, radix: 16, uppercase: true)
        return String(repeating: "0", count: 32 - hexadecimal.count) + hexadecimal
    }

    static func message(_ number: Int64, to queue: QueueName) -> OutgoingMessage {
        let properties: MessageProperties = [
            PropertyName.keys: Payload.key(number), PropertyName.uniqueKey: uniqueKey(number),
            PropertyName.transactionPrepared: "true", PropertyName.producerGroup: producerGroup,
        ]
        return OutgoingMessage(queue: queue, body: Payload.body(number), properties: properties, sysFlag: 4)
    }
}

/// What a producer did with its transactions.
final class TransactionLog: Sendable {
    struct Entry: Sendable {
        /// Nil while the answer to the half message is missing.
        var half: Half?
        /// What the producer wanted; nil: it left the transaction open.
        var verdict: Half.Verdict?
        /// The broker has acknowledged the verdict.
        var isDecided = false
    }

    private struct State {
        var entries: [Int64: Entry] = [:]
        var lastNumber: Int64 = 0
        var decided = 0
    }

    private let state = Mutex(State())

    func begin() -> Int64 {
        state.withLock { state in
            state.lastNumber += 1
            state.entries[state.lastNumber] = Entry()
            return state.lastNumber
        }
    }

    func stored(_ half: Half) {
        state.withLock { $0.entries[half.number]?.half = half }
    }

    func wants(_ verdict: Half.Verdict, for number: Int64) {
        state.withLock { $0.entries[number]?.verdict = verdict }
    }

    /// - Returns: how many are decided now.
    func decided(_ number: Int64) -> Int {
        state.withLock { state in
            state.entries[number]?.isDecided = true
            state.decided += 1
            return state.decided
        }
    }

    var entries: [Int64: Entry] { state.withLock { $0.entries } }
}

/// A transaction producer whose process may vanish at any moment.
struct TransactionLoad: Sendable {
    var client: RawClient
    var log: TransactionLog
    var queue: QueueName
    var seed: UInt64

    /// Sends half messages, commits some, rolls some back and leaves some open, until the broker is gone.
    ///
    /// - Parameter strike: called once, when `count` verdicts were acknowledged.
    func run(verdicts count: Int, strike: @escaping @Sendable () -> Void) async {
        await withTaskGroup(of: Void.self) { group in
            for sender in 0..<16 {
                group.addTask {
                    var generator = SeededGenerator(seed: seed &+ UInt64(sender))
                    while (try? await transact(&generator, strikeAt: count, strike)) != nil {}
                }
            }
        }
    }

    private func transact(
        _ generator: inout SeededGenerator, strikeAt count: Int, _ strike: @Sendable () -> Void
    ) async throws {
        let number = log.begin()
        let answer = try await client.send(Half.message(number, to: queue))
        guard answer.code == .success, let logOffset = answer.logOffsets.first else {
            throw TestFailure("a half message was answered \(answer.code): \(answer.remark ?? "no remark")")
        }
        let half = Half(number: number, queueOffset: answer.queueOffset, logOffset: logOffset)
        log.stored(half)
        let choice = Int.random(in: 0..<10, using: &generator)
        guard choice < 8 else { return }
        let verdict = choice < 5 ? Half.Verdict.commit : .rollback
        log.wants(verdict, for: number)
        try await client.require(.endTransaction, half.endFields(verdict))
        if log.decided(number) == count { strike() }
    }
}
