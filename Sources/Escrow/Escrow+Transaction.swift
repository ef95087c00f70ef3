import Foundation
import GRDB
import Logging
import MQClient
import MQProtocol
import Tracing

extension Escrow {
    /// Writes to the database and publishes events as one act.
    ///
    /// The events go ahead as half messages, invisible to consumers; then the body runs and commits; then the brokers
    /// hear the verdict. A crash anywhere in between is settled from the database. When the body throws, everything it
    /// wrote is undone, nothing is published, and its own error is thrown.
    ///
    /// - Parameters:
    ///   - events: what is known to happen if the body succeeds. What the body finds out, it publishes through
    ///     ``Transaction/publish(_:)``. None is allowed.
    ///   - body: runs on the database writer's thread, perhaps more than once for one commit, and waits for nothing but
    ///     the database.
    /// - Throws: the body's error; or ``EscrowError``: ``EscrowError/Code/invalidEvent``,
    ///   ``EscrowError/Code/brokerUnavailable``, ``EscrowError/Code/notRunning`` and the codes of databases, of which
    ///   all mean that nothing happened.
    public func transaction<Value: Sendable>(
        _ events: any Event..., body: @escaping @Sendable (Transaction) throws -> Value
    ) async throws -> TransactionResult<Value> {
        try await transaction(publishing: events, body)
    }

    /// The same with a list of events.
    public func transaction<Value: Sendable>(
        publishing events: [any Event], _ body: @escaping @Sendable (Transaction) throws -> Value
    ) async throws -> TransactionResult<Value> {
        let attempt = Attempt<Value>(
            id: .random(at: configuration.time.now()), kind: TransactionKind.fenced, key: nil, body: body, encode: nil,
            decode: { _ in preconditionFailure("without a key there is no earlier call") })
        return try await run(attempt, publishing: events)
    }

    /// The same, once for each key: called again, it gives the first call's result and does not run its body. So an
    /// order that an impatient user places twice is one order.
    ///
    /// - Parameters:
    ///   - idempotencyKey: of the call; kept as long as its fence, ``EscrowConfiguration/fenceRetention``.
    ///   - kind: keys of different kinds are different keys. Default: `call`.
    /// - Throws: also ``EscrowError/Code/resultMismatch`` when the stored result cannot be decoded as a `Value`.
    public func transaction<Value: Codable & Sendable>(
        publishing events: [any Event] = [], idempotencyKey: IdempotencyKey, kind: String = "call",
        _ body: @escaping @Sendable (Transaction) throws -> Value
    ) async throws -> TransactionResult<Value> {
        guard idempotencyKey.isValid else {
            throw EscrowError(
                .invalidEvent,
                "The idempotency key \"\(idempotencyKey)\" needs 1 to \(IdempotencyKey.maximumBytes) bytes and no "
                    + "control characters.")
        }
        try Name.check(kind, "transaction kind")
        let attempt = Attempt<Value>(
            id: .random(at: configuration.time.now()), kind: kind, key: idempotencyKey.text, body: body,
            encode: { try JSONCodec.encoder.encode(StoredResult(value: $0)) },
            decode: { try Self.decode($0, key: idempotencyKey) })
        let key = idempotencyKey.text
        if let (id, result) = try await writer.read({ try Fence.earlier($0, kind: kind, key: key) }) {
            return .committed(try attempt.decode(result), receipt(id, isRepeated: true))
        }
        return try await run(attempt, publishing: events)
    }

    private static func decode<Value: Codable & Sendable>(
        _ stored: Data?, key: IdempotencyKey
    ) throws -> Value {
        do {
            return try JSONCodec.decoder.decode(StoredResult<Value>.self, from: stored ?? Data()).value
        } catch {
            throw EscrowError(
                .resultMismatch,
                "The transaction \"\(key)\" was committed before, and its result is no \(Value.self): use another key "
                    + "for another kind of call.", cause: error)
        }
    }

    func receipt(_ id: TransactionID, isRepeated: Bool = false) -> TransactionReceipt {
        TransactionReceipt(id: id, relay: relay, isRepeated: isRepeated)
    }
}

/// A value in an object, because older JSON readers know no other top level.
private struct StoredResult<Value: Codable & Sendable>: Codable, Sendable {
    var value: Value
}

/// One call of a transaction.
private struct Attempt<Value: Sendable>: Sendable {
    var id: TransactionID
    var kind: String
    var key: String?
    var body: @Sendable (Transaction) throws -> Value
    /// Nil when the result is not kept.
    var encode: (@Sendable (Value) throws -> Data)?
    var decode: @Sendable (Data?) throws -> Value

    /// What the piece found and did.
    enum Finding: Sendable {
        case done(Value)
        case fenced
        case earlier(TransactionID, Data?)
    }
}

/// An event and where its half message is.
private struct SentHalf: Sendable {
    var event: OutgoingEvent
    var half: EncodedHalf
}

extension Escrow {
    private func run<Value: Sendable>(
        _ attempt: Attempt<Value>, publishing events: [any Event]
    ) async throws -> TransactionResult<Value> {
        try await traces.publishing("\(name) transaction") { try await settle(attempt, publishing: events) }
    }

    private func settle<Value: Sendable>(
        _ attempt: Attempt<Value>, publishing events: [any Event]
    ) async throws -> TransactionResult<Value> {
        let trace = traces.current
        var outgoing: [OutgoingEvent] = []
        if !events.isEmpty {
            let headers = traces.headers
            for event in events { outgoing.append(try OutgoingEvent(event, in: namespace, trace: headers)) }
        }
        let halves = try await sendHalves(outgoing, of: attempt.id)
        if !halves.isEmpty { writer.steps.reached(.halfStored) }
        do {
            let service = serviceContext()
            let finding = try await writer.perform { db, context in
                try Self.enter(attempt, halves, in: trace, service, db, context)
            }
            return try await finish(attempt, finding, halves)
        } catch let refusal as WriterRefusal {
            guard !refusal.isInDoubt else {
                writer.meters.count(.inDoubt)
                let transaction = InDoubtTransaction(
                    id: attempt.id, writer: writer, reason: refusal.trouble.description)
                return .inDoubt(transaction)
            }
            abandon(halves)
            throw refusal.trouble.error
        } catch {
            abandon(halves)
            throw error
        }
    }

    /// Everything of the transaction that is in the database, in one savepoint.
    private static func enter<Value: Sendable>(
        _ attempt: Attempt<Value>, _ halves: [SentHalf], in trace: InstrumentationContext?, _ service: ServiceContext,
        _ db: Database, _ context: GroupContext
    ) throws -> Attempt<Value>.Finding {
        switch try Fence.enter(db, attempt.id, kind: attempt.kind, key: attempt.key, now: context.now) {
        case .fenced:
            context.count(.fenced)
            return .fenced
        case .earlier(let id, let result):
            context.count(.fenced)
            return .earlier(id, result)
        case .entered:
            break
        }
        for sent in halves {
            try context.publish(db, sent.event, fence: attempt.id, half: sent.half)
        }
        let transaction = Transaction(
            database: db, now: context.now, context: context, service: service, fence: attempt.id)
        let value = try service.traces.within(trace) { try attempt.body(transaction) }
        if let encode = attempt.encode { try Fence.setResult(db, attempt.id, try encode(value)) }
        // With messages it is acknowledged when the last of them has left.
        if halves.isEmpty { try Fence.acknowledge(db, [attempt.id], now: context.now) }
        return .done(value)
    }

    private func finish<Value: Sendable>(
        _ attempt: Attempt<Value>, _ finding: Attempt<Value>.Finding, _ halves: [SentHalf]
    ) async throws -> TransactionResult<Value> {
        switch finding {
        case .done(let value):
            writer.steps.reached(.committed)
            return .committed(value, receipt(attempt.id))
        case .fenced:
            abandon(halves)
            return .fenced
        case .earlier(let id, let result):
            abandon(halves)
            return .committed(try attempt.decode(result), receipt(id, isRepeated: true))
        }
    }

    // MARK: Half messages

    private func sendHalves(_ events: [OutgoingEvent], of id: TransactionID) async throws -> [SentHalf] {
        guard !events.isEmpty else { return [] }
        let producer = try await connected().producer
        let identity = store.identity
        if events.count == 1 { return [try await Self.sendHalf(events[0], id, identity, producer)] }
        return try await withThrowingTaskGroup { tasks in
            for (index, event) in events.enumerated() {
                tasks.addTask { (index, try await Self.sendHalf(event, id, identity, producer)) }
            }
            var sent: [(Int, SentHalf)] = []
            do {
                for try await one in tasks { sent.append(one) }
            } catch {
                tasks.cancelAll()
                abandon(sent.map(\.1))
                throw error
            }
            return sent.sorted { $0.0 < $1.0 }.map(\.1)
        }
    }

    private static func sendHalf(
        _ event: OutgoingEvent, _ id: TransactionID, _ identity: String, _ producer: TransactionProducer
    ) async throws(EscrowError) -> SentHalf {
        var message = Message(event, identity: identity)
        message.properties[EventProperty.transaction] = id.description
        message.properties[EventProperty.kind] = TransactionKind.fenced
        do {
            let half = try await producer.sendHalf(message, orderedBy: event.orderingKey)
            return SentHalf(event: event, half: EncodedHalf(half))
        } catch {
            throw EscrowError(
                error.isFaultOfMessage ? .invalidEvent : .brokerUnavailable,
                "The half message of \(event.tag) \(event.idempotencyKey) was not stored, so the body did not run and "
                    + "nothing happened: \(error)", cause: error)
        }
    }

    /// Tells the brokers that nothing will come of the halves. One try: a verdict that is lost is asked for.
    private func abandon(_ halves: [SentHalf]) {
        guard !halves.isEmpty, let producer = connection.current?.producer else { return }
        let logger = configuration.logger
        for sent in halves {
            // Unstructured on purpose: the caller gets its own error however long a broker is silent.
            Task {
                do {
                    _ = try await producer.end(sent.half.message, .rollback)
                } catch {
                    logger.info(
                        "a rollback was not acknowledged; the broker will ask back", metadata: ["error": "\(error)"])
                }
            }
        }
    }

    /// How long a call waits for ``run()`` to connect.
    private static let connectTimeout = Duration.seconds(10)

    func connected() async throws -> Connection {
        if let connection = connection.current { return connection }
        let gate = connection
        let time = configuration.time
        let connected = await withTaskGroup(of: Connection?.self) { tasks in
            tasks.addTask { await gate.value() }
            tasks.addTask {
                try? await time.sleep(for: Self.connectTimeout)
                return nil
            }
            let first = await tasks.next() ?? nil
            tasks.cancelAll()
            return first
        }
        guard let connected else {
            throw EscrowError(
                .notRunning,
                "The service \"\(name)\" is not connected: is its run() running, in a service group or a task?")
        }
        return connected
    }
}
