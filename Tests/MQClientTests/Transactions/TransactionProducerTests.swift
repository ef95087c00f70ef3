@testable import MQClient
import MQProtocol
import MQRemoting
import NIOCore
import ServiceLifecycle
import Synchronization
import Testing

@Suite struct TransactionProducerTests {
    @Test("A half message is marked, names its group, and says where it lies")
    func half() async throws {
        try await withProducer { producer, broker in
            let half = try await producer.sendHalf(Message(topic: "Orders", body: "x"), orderedBy: "order-17")
            let request = await broker.request(.sendMessageV2)
            let header = try SendMessageHeader(request.fields)
            let properties = MessageProperties(text: header.properties)
            #expect(header.producerGroup == "Shop")
            #expect(header.queueID == 1)
            #expect(header.sysFlag.transactionType == .prepared)
            #expect(properties[PropertyName.transactionPrepared] == "true")
            #expect(properties[PropertyName.producerGroup] == "Shop")
            #expect(half.logOffset == 16)
            #expect(half.queueOffset == 7)
            #expect(half.messageID == properties[PropertyName.uniqueKey])
            #expect(half.brokerName == "a")
            #expect(half.keepsVerdictsFinal)
        }
    }

    @Test("A group is announced to a broker before its first half message goes there")
    func announcedFirst() async throws {
        try await withProducer { producer, broker in
            _ = try await producer.sendHalf(Message(topic: "Orders", body: "x"))
            let data = try HeartbeatData.decode(await broker.request(.heartbeat).body)
            #expect(data.producerGroups.contains("Shop"))
            #expect(broker.requests.map(\.requestCode) == [.heartbeat, .sendMessageV2])
        }
    }

    @Test(
        "What the disk or the slaves did not confirm is stored all the same",
        arguments: [
            (ResponseCode.flushDiskTimeout, SendReceipt.Status.flushTimedOut),
            (.flushSlaveTimeout, .replicationTimedOut), (.slaveNotAvailable, .slaveUnavailable),
        ])
    func statuses(code: ResponseCode, status: SendReceipt.Status) async throws {
        let answer: @Sendable (Frame) -> StubServer.Answer = { request in
            var answer = Stubs.broker(request)
            if request.requestCode == .sendMessageV2 { answer.code = code }
            return answer
        }
        try await withProducer(answer) { producer, _ in
            let half = try await producer.sendHalf(Message(topic: "Orders", body: "x"))
            #expect(half.status == status)
        }
    }

    @Test("A delayed half is for brokers that keep the delay")
    func delayedHalf() async throws {
        var message = Message(topic: "Orders", body: "x")
        message.delay = .level(3)
        try await withProducer { producer, _ in _ = try await producer.sendHalf(message) }
        try await withProducer(Stubs.stockBroker) { producer, broker in
            let error = await #expect(throws: MQClientError.self) { try await producer.sendHalf(message) }
            #expect(error?.code == .unsupportedByBroker)
            #expect(error?.message.contains("drops the delay of a half message") == true)
            #expect(broker.requests.allSatisfy { $0.requestCode == .heartbeat })
        }
    }

    @Test("The client has one producer of a group at a time")
    func once() async throws {
        try await withProducer { producer, _ in
            let second = #expect(throws: MQClientError.self) {
                try TransactionProducer(producer.client, group: "Shop") { _ in .unknown }
            }
            #expect(second?.code == .groupInUse)
            producer.close()
            _ = try TransactionProducer(producer.client, group: "Shop") { _ in .unknown }
        }
    }

    // MARK: Verdicts

    @Test(
        "A broker of ours answers a verdict, by field or by code and remark",
        arguments: [
            (StubServer.Answer(fields: [("escrowVerdict", "accepted")]), VerdictAnswer.accepted),
            (StubServer.Answer(code: .systemError, fields: [("escrowVerdict", "opposite")]), .opposite),
            (StubServer.Answer(code: .systemError, fields: [("escrowVerdict", "unknown")]), .unknownHalf),
            (StubServer.Answer(), .accepted),
            (StubServer.Answer(code: .systemError, remark: "the transaction is final: commit; the later"), .opposite),
            (
                StubServer.Answer(code: .systemError, remark: "Find prepared transaction message failed"),
                .unknownHalf
            ),
            (StubServer.Answer(code: .systemError, remark: "The transaction state table offset wrong"), .unknownHalf),
            (StubServer.Answer.never, .unanswered),
        ])
    func answers(answer: StubServer.Answer, expected: VerdictAnswer) async throws {
        let broker: @Sendable (Frame) -> StubServer.Answer = { request in
            request.requestCode == .endTransaction ? answer : Stubs.broker(request)
        }
        // Given time: the machine may be busy with other tests. Only the answer that never comes is waited for.
        let patience = answer.isGiven ? Duration.seconds(20) : .seconds(2)
        try await withProducer(broker, requestTimeout: patience) { producer, broker in
            let half = try await producer.sendHalf(Message(topic: "Orders", body: "x"))
            #expect(try await producer.end(half, .commit) == expected)
            let request = await broker.request(.endTransaction)
            #expect(!request.isOneWay)
            let header = try EndTransactionHeader(request.fields)
            #expect(header.producerGroup == "Shop")
            #expect(header.logOffset.rawValue == 16)
            #expect(header.queueOffset.rawValue == 7)
            #expect(header.messageID == half.messageID)
            #expect(header.verdict == 8)
            #expect(!header.fromTransactionCheck)
        }
    }

    @Test("Another refusal is an error")
    func refused() async throws {
        let broker: @Sendable (Frame) -> StubServer.Answer = { request in
            request.requestCode == .endTransaction
                ? StubServer.Answer(code: .noPermission, remark: "not yours") : Stubs.broker(request)
        }
        try await withProducer(broker) { producer, _ in
            let half = try await producer.sendHalf(Message(topic: "Orders", body: "x"))
            let error = await #expect(throws: MQClientError.self) { try await producer.end(half, .rollback) }
            #expect(error?.code == .refused)
            #expect(error?.message.contains("not yours") == true)
        }
    }

    @Test("A busy broker is asked again after a pause, a few times")
    func busy() async throws {
        let answer: @Sendable (Frame) -> StubServer.Answer = { request in
            request.requestCode == .endTransaction
                ? StubServer.Answer(code: .systemBusy, fields: [("escrowVerdict", "busy")]) : Stubs.broker(request)
        }
        let clock = clock
        try await withProducer(answer) { producer, broker in
            let half = try await producer.sendHalf(Message(topic: "Orders", body: "x"))
            async let answer = producer.end(half, .commit)
            for _ in 0..<3 {
                await clock.waitForSleepers(count: 1)
                clock.advance(by: .milliseconds(100))
            }
            #expect(try await answer == .unanswered)
            #expect(broker.requests.count { $0.requestCode == .endTransaction } == 4)
        }
    }

    @Test("A stock broker answers a verdict too")
    func stock() async throws {
        try await withProducer(Stubs.stockBroker) { producer, broker in
            let half = try await producer.sendHalf(Message(topic: "Orders", body: "x"))
            #expect(!half.keepsVerdictsFinal)
            #expect(try await producer.end(half, .rollback) == .accepted)
            let request = await broker.request(.endTransaction)
            #expect(!request.isOneWay)
            #expect(try EndTransactionHeader(request.fields).verdict == 12)
        }
    }

    @Test("A commit is repeated to a stock broker only when its message is not there", arguments: [true, false])
    func repeated(isThere: Bool) async throws {
        var record = ByteBuffer()
        _ = try record.writeRecord(Self.draft("ID"))
        let found = isThere ? StubServer.Answer(body: record) : StubServer.Answer(code: .queryNotFound)
        let answer: @Sendable (Frame) -> StubServer.Answer = { request in
            request.requestCode == .queryMessage ? found : Stubs.stockBroker(request)
        }
        try await withProducer(answer) { producer, broker in
            var half = Self.stored("a", at: broker.address)
            _ = try await producer.client.publishQueues("Orders")
            // What it was when the half was sent, another broker is now.
            try await producer.client.heartbeat(to: broker.address)
            #expect(half.keepsVerdictsFinal)
            half.messageID = "ID"
            #expect(try await producer.endAgain(half, .commit) == .accepted)
            #expect(broker.requests.count { $0.requestCode == .endTransaction } == (isThere ? 0 : 1))
            // Nothing can be delivered twice by a rollback.
            #expect(try await producer.endAgain(half, .rollback) == .accepted)
            #expect(broker.requests.count { $0.requestCode == .queryMessage } == 1)
        }
    }

    @Test("A half message read from a database is decided at its broker's present address")
    func movedBroker() async throws {
        let dead = try await Stubs.deadAddress()
        try await StubServer.with(answer: Stubs.broker) { broker in
            let address = broker.address
            let answer = Stubs.nameServer(topics: [], brokers: { [:] }, listed: { ["kept": address] })
            try await StubServer.with(answer: answer) { servers in
                try await Stubs.client(of: servers.address) { client in
                    let producer = try TransactionProducer(client, group: "Shop") { _ in .unknown }
                    #expect(try await producer.end(Self.stored("kept", at: dead), .commit) == .accepted)
                    #expect(broker.requests.map(\.requestCode) == [.endTransaction])
                    let gone = await #expect(throws: MQClientError.self) {
                        try await producer.end(Self.stored("gone", at: address), .commit)
                    }
                    #expect(gone?.code == .brokerUnknown)
                    #expect(broker.requests.count == 1)
                }
            }
        }
    }

    @Test("While no name server answers, the stored address is believed")
    func withoutNameServer() async throws {
        try await StubServer.with(answer: Stubs.broker) { broker in
            try await Stubs.client(of: try await Stubs.deadAddress()) { client in
                let producer = try TransactionProducer(client, group: "Shop") { _ in .unknown }
                #expect(try await producer.end(Self.stored("a", at: broker.address), .commit) == .accepted)
            }
        }
    }

    private static func stored(_ broker: String, at address: String) -> HalfMessage {
        HalfMessage(
            topic: "Orders", brokerName: broker, brokerAddress: address, queueID: 0, logOffset: 1, queueOffset: 2,
            messageID: "ID", transactionID: "ID", status: .stored, keepsVerdictsFinal: true)
    }

    // MARK: Check-backs

    @Test("A check-back is answered where it came from, with what it carried")
    func checkBack() async throws {
        try await withChecked({ _ in .rollback }) { producer, broker in
            try await Self.ask(broker, ["one"])
            let answer = await broker.request(.endTransaction)
            #expect(!answer.isOneWay)
            let header = try EndTransactionHeader(answer.fields)
            #expect(header.fromTransactionCheck)
            #expect(header.verdict == 12)
            #expect(header.logOffset.rawValue == 77)
            #expect(header.queueOffset.rawValue == 3)
            #expect(header.messageID == "one")
            #expect(header.transactionID == "T-one")
        }
    }

    @Test("An unknown verdict is said too, and nobody waits for an answer")
    func unknownVerdict() async throws {
        try await withChecked({ check in check.message.text == "body of one" ? .unknown : .commit }) { _, broker in
            try await Self.ask(broker, ["one"])
            let answer = await broker.request(.endTransaction)
            #expect(answer.isOneWay)
            #expect(try EndTransactionHeader(answer.fields).verdict == 0)
        }
    }

    @Test("At most 64 checks run at once; the others follow")
    func bounded() async throws {
        let running = Gauge()
        let gate = AsyncStream<Void>.makeStream()
        let names = (0..<200).map { "m\($0)" }
        try await withChecked({ _ in
            running.enter()
            for await _ in gate.stream { break }
            running.leave()
            return .commit
        }) { _, broker in
            try await Self.ask(broker, names)
            await running.reaches(64)
            for _ in names { gate.continuation.yield() }
            gate.continuation.finish()
            _ = await broker.request(.endTransaction, number: names.count)
            #expect(running.most == 64)
        }
    }

    @Test("A backlog that is full counts what it leaves unanswered")
    func backlog() async throws {
        let broker = try await StubServer.with(answer: Stubs.broker) { broker in
            try await Stubs.client(of: "127.0.0.1:1") { client in
                try await client.heartbeat(to: broker.address)
                return try #require(broker.client)
            }
        }
        let backlog = CheckBacklog(limit: 2)
        let request = try Self.request("x", from: broker)
        let taken = (0..<4).map { _ in backlog.offer(request) }
        #expect(taken == [true, true, false, false])
        #expect(backlog.dropped == 2)
        #expect(await backlog.next() != nil)
        backlog.close()
        #expect(await backlog.next() == nil)
        #expect(!backlog.offer(request))
    }

    @Test("A graceful shutdown finishes the checks under way")
    func graceful() async throws {
        let gate = AsyncStream<Void>.makeStream()
        let begun = AsyncStream<Void>.makeStream()
        try await StubServer.with(answer: Stubs.broker) { broker in
            try await Stubs.client(of: try await Stubs.deadAddress()) { client in
                let producer = try TransactionProducer(client, group: "Shop") { _ in
                    begun.continuation.yield()
                    for await _ in gate.stream { break }
                    return .commit
                }
                try await client.heartbeat(to: broker.address)
                let group = ServiceGroup(services: [producer], logger: client.configuration.logger)
                async let served: Void = group.run()
                try await Self.ask(broker, ["one"])
                for await _ in begun.stream { break }
                await group.triggerGracefulShutdown()
                gate.continuation.yield()
                try await served
                #expect(broker.requests.last?.requestCode == .endTransaction)
            }
        }
    }

    // MARK: Fixture

    private let clock = ManualClock(start: Timestamp(milliseconds: 1_700_000_000_000))

    private func withProducer(
        _ answer: @escaping @Sendable (Frame) -> StubServer.Answer = Stubs.broker,
        requestTimeout: Duration = .seconds(3),
        check: @escaping @Sendable (CheckBack) async -> Verdict = { _ in .unknown },
        _ body: (TransactionProducer, StubServer) async throws -> Void
    ) async throws {
        try await StubServer.with(answer: answer) { broker in
            try await StubServer.with(answer: Stubs.nameServer(topics: ["Orders"], broker: broker.address)) { servers in
                var configuration = MQClientConfiguration(nameServers: try NameServerAddresses(servers.address))
                configuration.requestTimeout = requestTimeout
                configuration.time = .manual(clock)
                try await MQClient.with(configuration) { client in
                    try await body(try TransactionProducer(client, group: "Shop", check: check), broker)
                }
            }
        }
    }

    /// A producer that answers check-backs, and is known to the broker.
    private func withChecked(
        _ check: @escaping @Sendable (CheckBack) async -> Verdict,
        _ body: (TransactionProducer, StubServer) async throws -> Void
    ) async throws {
        try await withProducer(check: check) { producer, broker in
            try await producer.client.heartbeat(to: broker.address)
            let running = Task { try await producer.run() }
            do { try await body(producer, broker) } catch { running.cancel(); throw error }
            running.cancel()
            try await running.value
        }
    }

    private static func ask(_ broker: StubServer, _ messageIDs: [String]) async throws {
        let connection = try #require(broker.client)
        for id in messageIDs {
            let request = try request(id, from: connection)
            var body = ByteBuffer()
            _ = try body.writeRecord(draft(id))
            connection.oneWay(.checkTransactionState, header: request.header, body: body)
        }
    }

    private static func request(_ id: String, from connection: ConnectionHandle) throws -> CheckRequest {
        var body = ByteBuffer()
        _ = try body.writeRecord(draft(id))
        let header = CheckTransactionStateHeader(
            queueOffset: QueueOffset(rawValue: 3), logOffset: LogOffset(rawValue: 77), messageID: id,
            transactionID: "T-\(id)")
        return CheckRequest(header: header, message: try StoredMessage(reading: &body), connection: connection)
    }

    private static func draft(_ id: String) -> MessageDraft {
        MessageDraft(
            topic: "Orders", queueID: 0, bornTimestamp: Timestamp(milliseconds: 1),
            bornHost: HostAddress(ip: .v4(1), port: 1), storeHost: HostAddress(ip: .v4(1), port: 2),
            body: ByteBuffer(string: "body of \(id)"),
            properties: ([PropertyName.producerGroup: "Shop", PropertyName.uniqueKey: id] as MessageProperties).encode()
        )
    }
}

/// Counts who is inside, and lets a test wait until enough are.
private final class Gauge: Sendable {
    private struct State {
        var inside = 0
        var most = 0
        var waiter: (count: Int, continuation: CheckedContinuation<Void, Never>)?
    }

    private let state = Mutex(State())

    var most: Int { state.withLock { $0.most } }

    func enter() {
        let waiter = state.withLock { state -> CheckedContinuation<Void, Never>? in
            state.inside += 1
            state.most = max(state.most, state.inside)
            guard let waiter = state.waiter, state.inside >= waiter.count else { return nil }
            state.waiter = nil
            return waiter.continuation
        }
        waiter?.resume()
    }

    func leave() {
        state.withLock { $0.inside -= 1 }
    }

    func reaches(_ count: Int) async {
        await withCheckedContinuation { continuation in
            let isThere = state.withLock { state in
                if state.inside >= count { return true }
                state.waiter = (count, continuation)
                return false
            }
            if isThere { continuation.resume() }
        }
    }
}
