import Escrow
import Foundation
import GRDB
import MQClient
import MQProtocol
import Synchronization

struct Placed: Event {
    static let topic: Topic = "bench-orders"
    var order: Int
    var idempotencyKey: IdempotencyKey { "placed/\(order)" }
    var orderingKey: OrderingKey { .none }
}

extension Site {
    /// Half message and verdict, with no database between.
    func bareTransactions(inFlight: Int, seconds: Double) async throws -> Measured {
        try await withProducer { producer in
            try await repeating(inFlight: inFlight, seconds: seconds) { number in
                let half = try await producer.sendHalf(Message(topic: "bench-bare", body: "{\"order\":\(number)}"))
                _ = try await producer.end(half, .commit)
            }
        }
    }

    /// Half message, a commit with the row and a fence for it, verdict: what a service without the framework does, and
    /// without what the framework remembers for a crash in between.
    func transactionsByHand(inFlight: Int, seconds: Double) async throws -> Measured {
        try await pool.writeWithoutTransaction { db in
            try db.execute(
                sql: """
                    PRAGMA synchronous = FULL;
                    CREATE TABLE fence (id TEXT PRIMARY KEY, verdict TEXT NOT NULL) STRICT, WITHOUT ROWID;
                    """)
        }
        let pool = pool
        return try await withProducer { producer in
            try await repeating(inFlight: inFlight, seconds: seconds) { number in
                let half = try await producer.sendHalf(Message(topic: "bench-bare", body: "{\"order\":\(number)}"))
                try await pool.write { db in
                    try db.cachedStatement(sql: "INSERT INTO fence VALUES (?, 'commit')")
                        .execute(arguments: [half.messageID])
                    try db.cachedStatement(sql: "INSERT INTO orders (id, state) VALUES (?, 'placed')")
                        .execute(arguments: [number])
                }
                _ = try await producer.end(half, .commit)
            }
        }
    }

    private func withProducer(
        _ body: (TransactionProducer) async throws -> Measured
    ) async throws -> Measured {
        let client = MQClient(MQClientConfiguration(nameServers: nameServers))
        let producer = try TransactionProducer(client, group: "bench-bare") { _ in .unknown }
        let measured = try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await client.run() }
            defer { tasks.cancelAll() }
            return try await body(producer)
        }
        await client.shutdown()
        return measured
    }

    /// Half message, a row in the database with its fence, verdict; counted when the last verdict is acknowledged.
    func transactions(inFlight: Int, seconds: Double) async throws -> Measured {
        let escrow = try escrow()
        return try await serving(escrow) {
            try await escrow.transaction(Placed(order: -1)) { _ in }.get()
            let started = ContinuousClock.now
            var measured = try await repeating(inFlight: inFlight, seconds: seconds) { number in
                try await escrow.transaction(Placed(order: number)) { tx in
                    try tx.database.cachedStatement(sql: "INSERT INTO orders (id, state) VALUES (?, 'placed')")
                        .execute(arguments: [number])
                }.get()
            }
            try await settled()
            let count = measured.milliseconds.count
            measured.perSecond = Double(count) / (started.duration(to: .now) / .seconds(1))
            return measured
        }
    }

    /// Returns when the outbox is empty.
    private func settled() async throws {
        let observation = ValueObservation.tracking { try Int.fetchOne($0, sql: "SELECT count(*) FROM escrow_outbox") }
        for try await count in observation.values(in: pool) where count == 0 { return }
    }

    /// Messages that wait at the broker, each handled once with its inbox row and an update.
    func handled(_ count: Int) async throws -> Measured {
        try await publish(count)
        let escrow = try escrow()
        let done = AsyncStream.makeStream(of: Void.self)
        let counter = Countdown(count) { done.continuation.finish() }
        try escrow.on(Placed.self, as: "stock") { event, tx in
            try tx.database.cachedStatement(sql: "UPDATE stock SET onHand = onHand + 1 WHERE sku = ?")
                .execute(arguments: [event.order % 1000])
            counter.down()
            return .done
        }
        let started = ContinuousClock.now
        return try await serving(escrow) {
            for await _ in done.stream {}
            // The last handler has run; its commit is to be waited for.
            let rows = ValueObservation.tracking {
                try Int.fetchOne($0, sql: "SELECT max(sequence) FROM escrow_inbox") ?? 0
            }
            for try await last in rows.values(in: pool) where last >= count { break }
            return Measured(perSecond: Double(count) / (started.duration(to: .now) / .seconds(1)))
        }
    }

    private func publish(_ count: Int) async throws {
        var configuration = MQClientConfiguration(nameServers: nameServers)
        configuration.automaticTopicQueues = 8
        try await MQClient.with(configuration) { client in
            for first in stride(from: 0, to: count, by: 100) {
                let batch = (first..<min(count, first + 100)).map { number in
                    var message = Message(topic: "bench-orders", body: "{\"order\":\(number)}")
                    message.tag = "Placed"
                    return message
                }
                _ = try await client.send(batch)
            }
        }
    }

    /// How late deadlines fire: the time of the handler's transaction less the due time. Negative would be early.
    func deadlines(perSecond: Int, seconds: Double) async throws -> Measured {
        let escrow = try escrow()
        let total = Int(Double(perSecond) * seconds)
        let done = AsyncStream.makeStream(of: Void.self)
        let counter = Countdown(total) { done.continuation.finish() }
        let record = Record()
        let warm = AsyncStream.makeStream(of: Void.self)
        try escrow.onDeadline("warm") { _, _ in
            warm.continuation.finish()
            return .done
        }
        try escrow.onDeadline("bench") { due, tx in
            record.add(Double(TimeSource.system.now().milliseconds - due.due.milliseconds))
            counter.down()
            return .done
        }
        return try await serving(escrow) {
            // The first one makes the topic, and the consumers find it.
            try await escrow.transaction { try $0.arm(Deadline("warm", for: "warm"), after: .milliseconds(100)) }.get()
            for await _ in warm.stream {}
            let clock = ContinuousClock()
            let started = clock.now
            for hundredth in 0..<(total * 100 / perSecond) {
                let share = perSecond / 100
                _ = try await escrow.transaction { tx in
                    for index in 0..<share {
                        try tx.arm(Deadline("bench", for: "\(hundredth)/\(index)"), after: .milliseconds(2000 + index))
                    }
                }
                try await clock.sleep(until: started.advanced(by: .milliseconds(10 * (hundredth + 1))))
            }
            for await _ in done.stream {}
            let times = record.all
            return Measured(perSecond: Double(times.count) / seconds, milliseconds: times)
        }
    }
}

/// Says when so many things have happened.
private final class Countdown: Sendable {
    private let left: Atomic<Int>
    private let action: @Sendable () -> Void

    init(_ count: Int, _ action: @escaping @Sendable () -> Void) {
        left = Atomic(count)
        self.action = action
    }

    func down() {
        if left.wrappingSubtract(1, ordering: .relaxed).newValue == 0 { action() }
    }
}

private final class Record: Sendable {
    private let values = Mutex<[Double]>([])

    func add(_ value: Double) {
        values.withLock { $0.append(value) }
    }

    var all: [Double] { values.withLock { $0 } }
}
