import MQClient
import MQProtocol

/// Sends one message of every kind, shows when each arrives, and checks itself.
struct Demo: Sendable {
    static let topic = "DemoTopic"
    static let delay = Duration.milliseconds(1500)

    let cluster: DemoCluster
    let say: @Sendable (String) -> Void
    private let begun = ContinuousClock.now

    init(cluster: DemoCluster, say: @escaping @Sendable (String) -> Void) {
        self.cluster = cluster
        self.say = say
    }

    /// - Throws: ``BenchError`` naming what went differently than it should.
    func run() async throws {
        let topic = TopicConfiguration(name: Self.topic, readQueues: 4, writeQueues: 4)
        try await cluster.client.createTopic(topic, onBroker: cluster.brokerAddress)
        note("name server \(cluster.nameServer), broker \(cluster.brokerAddress), topic \(Self.topic) with 4 queues")
        let onCheck: @Sendable (String) -> Void = { note("check-back: \"\($0)\" has no verdict yet, answering commit") }
        try await DemoTransactions.with(brokerAddress: cluster.brokerAddress, onCheck: onCheck) { transactions in
            let expected = try await send(transactions)
            let arrivals = try await receive(expected)
            try check(arrivals)
        }
        note("everything arrived as it should; the message that was rolled back did not")
    }

    private func send(_ transactions: DemoTransactions) async throws -> Set<String> {
        let client = cluster.client
        for body in ["normal 1", "normal 2", "normal 3"] {
            show(try await client.send(Message(topic: Self.topic, body: body)), body)
        }
        for body in ["order 17: created", "order 17: paid", "order 17: shipped"] {
            show(try await client.send(Message(topic: Self.topic, body: body), orderedBy: "order 17"), body)
        }
        var delayed = Message(topic: Self.topic, body: "delayed")
        delayed.delay = .after(Self.delay)
        show(try await client.send(delayed), "delayed (by 1.5 s)")

        let committed = try await transactions.sendHalf("transaction, committed", topic: Self.topic)
        let rolledBack = try await transactions.sendHalf("transaction, rolled back", topic: Self.topic)
        _ = try await transactions.sendHalf("transaction, checked back", topic: Self.topic)
        try await transactions.end(committed, commits: true)
        try await transactions.end(rolledBack, commits: false)
        note("sent      three half messages: one committed, one rolled back, one left without a verdict")
        return [
            "normal 1", "normal 2", "normal 3", "order 17: created", "order 17: paid", "order 17: shipped", "delayed",
            "transaction, committed", "transaction, checked back",
        ]
    }

    /// One message, and when it was seen after the demo began.
    private struct Arrival: Sendable {
        var message: ReceivedMessage
        var after: Duration
    }

    /// Pulls the topic's queues until every body was seen, or 30 s have passed.
    private func receive(_ expected: Set<String>) async throws -> [Arrival] {
        let queues = try await cluster.client.subscribeQueues(Self.topic)
        return try await withThrowingTaskGroup(of: Void.self) { group in
            let (stream, found) = AsyncStream.makeStream(of: Arrival?.self, bufferingPolicy: .bufferingOldest(1024))
            for queue in queues {
                group.addTask { try await follow(queue, into: found) }
            }
            group.addTask {
                try await TimeSource.system.sleep(for: .seconds(30))
                found.yield(nil)
            }
            var missing = expected
            var arrivals: [Arrival] = []
            for await arrival in stream {
                guard let arrival else { throw BenchError("After 30 s these had not arrived: \(missing.sorted())") }
                arrivals.append(arrival)
                missing.remove(arrival.message.text)
                let place = "queue \(arrival.message.queueID), offset \(arrival.message.queueOffset)"
                note("arrived   \"\(arrival.message.text)\"  (\(place))")
                if missing.isEmpty { break }
            }
            group.cancelAll()
            return arrivals
        }
    }

    private func follow(_ queue: MessageQueue, into found: AsyncStream<Arrival?>.Continuation) async throws {
        var offset: Int64 = 0
        while !Task.isCancelled {
            let result: PullResult
            do {
                result = try await cluster.client.pull(queue, from: offset, waitingUpTo: .seconds(2))
            } catch {
                if Task.isCancelled { return }
                throw error
            }
            for message in result.messages { found.yield(Arrival(message: message, after: begun.duration(to: .now))) }
            offset = result.nextOffset
        }
    }

    private func check(_ arrivals: [Arrival]) throws {
        let bodies = arrivals.map(\.message.text)
        guard Set(bodies).count == bodies.count else { throw BenchError("A message arrived twice: \(bodies)") }
        guard !bodies.contains("transaction, rolled back") else {
            throw BenchError("The message that was rolled back arrived.")
        }
        let order = bodies.filter { $0.hasPrefix("order") }
        guard order == ["order 17: created", "order 17: paid", "order 17: shipped"] else {
            throw BenchError("The ordered messages arrived as \(order).")
        }
        guard let delayed = arrivals.first(where: { $0.message.text == "delayed" })?.message else { return }
        let waited = delayed.bornTimestamp.duration(to: delayed.storeTimestamp)
        guard waited >= Self.delay else { throw BenchError("The delayed message was early: after \(waited).") }
    }

    private func show(_ receipt: SendReceipt, _ what: String) {
        note("sent      \"\(what)\"  (queue \(receipt.queue.queueID), \(receipt.status.rawValue))")
    }

    private func note(_ text: String) {
        let milliseconds = begun.duration(to: .now).wholeMilliseconds
        let seconds = Table.decimal(Double(milliseconds) / 1000, 3)
        say(String(repeating: " ", count: max(0, 7 - seconds.count)) + seconds + " s  " + text)
    }
}
