import Foundation
import MQProtocol
import MQStore
import NIOCore
import Testing

@testable import MQBroker

@Suite("Verdicts at a live broker")
struct VerdictTests {
    @Test("Every answer says what became of the verdict")
    func outcomes() async throws {
        try await LiveBroker.with { broker in
            let client = FakeClient("p", of: broker)
            let half = try await client.sendHalf("order", to: "T", key: "K1")
            #expect(try await client.end(half, .commit) == (.success, .accepted))
            #expect(try await client.end(half, .commit) == (.success, .accepted))
            #expect(try await client.end(half, .rollback) == (.systemError, .opposite))
            var nowhere = half
            nowhere.logOffset = 1
            nowhere.key = "none"
            #expect(try await client.end(nowhere, .commit) == (.systemError, .unknown))
            broker.service.broker.store.dispatchPending()
            #expect(try await client.pull("T").1.map { String(buffer: $0.body) } == ["order"])
            await client.close()
        }
    }

    @Test("What a start does not remember is read in the log, with and without an index", arguments: [true, false])
    func forgottenVerdicts(isIndexed: Bool) async throws {
        try await LiveBroker.withDirectory { directory in
            var halves: [Verdict: SentHalf] = [:]
            try await LiveBroker.with({ $0.storage.messageIndex = isIndexed }, in: directory) { broker in
                let client = FakeClient("p", of: broker)
                for verdict in [Verdict.commit, .rollback] {
                    let half = try await client.sendHalf("order", to: "T", key: "K-\(verdict.text)")
                    #expect(try await client.end(half, verdict) == (.success, .accepted))
                    halves[verdict] = half
                }
                await client.close()
            }
            try await LiveBroker.with({ $0.storage.messageIndex = isIndexed }, in: directory) { broker in
                let client = FakeClient("p", of: broker)
                #expect(broker.service.broker.transactions.undecidedCount == 0)
                for (verdict, half) in halves {
                    var foreign = half
                    foreign.group = "another"
                    let refused = try await client.end(foreign, verdict)
                    #expect(refused.1 == .unknown)
                    let opposite = try await client.end(half, verdict.opposite)
                    #expect(opposite == (.systemError, .opposite))
                    let repeated = try await client.end(half, verdict)
                    #expect(repeated == (.success, .accepted))
                }
                await client.close()
            }
        }
    }

    @Test("A copy of a half that comes after the verdict, and after a restart, ends with it and is not asked about")
    func lateCopies() async throws {
        try await LiveBroker.withDirectory { directory in
            try await LiveBroker.with(in: directory) { broker in
                let client = FakeClient("p", of: broker)
                for (key, verdict) in [("K1", Verdict.commit), ("K2", .rollback)] {
                    let half = try await client.sendHalf("order", to: "T", key: key)
                    #expect(try await client.end(half, verdict) == (.success, .accepted))
                }
                await client.close()
            }
            try await LiveBroker.with(in: directory) { broker in
                let transactions = broker.service.broker.transactions
                let client = FakeClient("p", of: broker)
                _ = try await client.heartbeat(producers: ["P"])
                // Sent before those that were decided, and slower.
                let early = Timestamp(milliseconds: 1)
                let committed = try await client.sendHalf("order", to: "T", key: "K1", immunity: 0, born: early)
                let rolledBack = try await client.sendHalf("order", to: "T", key: "K2", immunity: 0, born: early)
                _ = try await client.sendHalf("fresh", to: "T", key: "K3", immunity: 0)
                broker.service.broker.store.dispatchPending()
                transactions.checkDue(clients: broker.service.broker.clients)
                await client.waitFor(.checkTransactionState)
                #expect(transactions.undecidedCount == 1)
                let asked = client.requests.filter { $0.requestCode == .checkTransactionState }
                #expect(asked.map { $0.fields.string("msgId") } == ["K3"])
                #expect(try await client.end(committed, .rollback).1 == .opposite)
                #expect(try await client.end(rolledBack, .commit).1 == .opposite)
                #expect(try await client.end(rolledBack, .rollback).1 == .accepted)
                await client.close()
            }
        }
    }

    @Test("A half without a unique key stays one transaction when it is copied forward", arguments: ["", "K1"])
    func copiedForward(key: String) async throws {
        try await LiveBroker.withDirectory { directory in
            var first = SentHalf(group: "", key: "", queueOffset: 0, logOffset: 0)
            try await LiveBroker.with(in: directory) { broker in
                let client = FakeClient("p", of: broker)
                first = try await client.sendHalf("order", to: "T", key: key)
                let end = broker.service.broker.store.appendedOffset
                #expect(broker.service.broker.transactions.copyForward(below: end) == end)
                #expect(broker.service.broker.transactions.undecidedCount == 1)
                await client.close()
            }
            try await LiveBroker.with(in: directory) { broker in
                let transactions = broker.service.broker.transactions
                let client = FakeClient("p", of: broker)
                #expect(transactions.undecidedCount == 1)
                let end = broker.service.broker.store.appendedOffset
                #expect(transactions.copyForward(below: end) == end)
                let accepted = try await client.end(first, .commit)
                #expect(accepted == (.success, .accepted))
                #expect(transactions.undecidedCount == 0)
                #expect(try await client.end(first, .rollback).1 == .opposite)
                await client.close()
            }
            try await LiveBroker.with(in: directory) { broker in
                let client = FakeClient("p", of: broker)
                #expect(broker.service.broker.transactions.undecidedCount == 0)
                let messages = try await client.pull("T").1
                #expect(messages.count == 1)
                await client.close()
            }
        }
    }

    @Test("How often a producer was asked is known after a restart")
    func checkCounts() async throws {
        try await LiveBroker.withDirectory { directory in
            let change: (inout BrokerConfiguration) -> Void = { $0.transactions.maximumChecks = 2 }
            try await LiveBroker.with(change, in: directory) { broker in
                let client = FakeClient("p", of: broker)
                _ = try await client.heartbeat(producers: ["P"])
                _ = try await client.sendHalf("order", to: "T", key: "K1", immunity: 0)
                broker.service.broker.store.dispatchPending()
                broker.service.broker.transactions.checkDue(clients: broker.service.broker.clients)
                await client.waitFor(.checkTransactionState)
                await client.close()
            }
            try await LiveBroker.with(change, in: directory) { broker in
                let transactions = broker.service.broker.transactions
                #expect(transactions.undecided.map(\.checks) == [1])
                let client = FakeClient("p", of: broker)
                _ = try await client.heartbeat(producers: ["P"])
                broker.service.broker.store.dispatchPending()
                transactions.checkDue(clients: broker.service.broker.clients)
                await client.waitFor(.checkTransactionState)
                #expect(transactions.unresolvedCount == 1)
                await client.close()
            }
            try await LiveBroker.with(change, in: directory) { broker in
                #expect(broker.service.broker.transactions.unresolvedCount == 1)
            }
        }
    }

    /// Without the ring the service would look again when it notes its progress, ten seconds after it started.
    @Test("A half that is due before the service looks by itself wakes it", .timeLimit(.minutes(1)))
    func earlyHalfRings() async throws {
        try await LiveBroker.with { broker in
            let begun = ContinuousClock.now
            let client = FakeClient("p", of: broker)
            _ = try await client.heartbeat(producers: ["P"])
            _ = try await client.sendHalf("order", to: "T", key: "K1", immunity: 0)
            await client.waitFor(.checkTransactionState)
            #expect(begun.duration(to: .now) < .seconds(8))
            await client.close()
        }
    }

    @Test("Code 323 starts the checks of an unresolved half over")
    func resumedChecks() async throws {
        try await LiveBroker.with({ $0.transactions.maximumChecks = 1 }) { broker in
            let transactions = broker.service.broker.transactions
            let client = FakeClient("p", of: broker)
            _ = try await client.heartbeat(producers: ["P"])
            let half = try await client.sendHalf("order", to: "T", key: "K1", immunity: 0)
            broker.service.broker.store.dispatchPending()
            transactions.checkDue(clients: broker.service.broker.clients)
            await client.waitFor(.checkTransactionState)
            #expect(transactions.unresolvedCount == 1)
            let host = broker.service.broker.advertisedHost
            let id = OffsetMessageID(host: host, offset: LogOffset(rawValue: half.logOffset)).hex
            let resumed = try await client.request(.resumeCheckHalfMessage, [("msgId", id)])
            #expect(resumed.responseCode == .success)
            await client.waitFor(.checkTransactionState, count: 2)
            // What a person finds is the copy in the topic of unresolved halves.
            broker.service.broker.store.dispatchPending()
            let listed = try #require(try await client.pull(SystemTopic.transactionCheckMaximum).1.first)
            let listedID = OffsetMessageID(host: host, offset: listed.record.physicalOffset).hex
            #expect(
                try await client.request(.resumeCheckHalfMessage, [("msgId", listedID)]).responseCode == .success)
            await client.waitFor(.checkTransactionState, count: 3)
            let nothing = OffsetMessageID(host: host, offset: LogOffset(rawValue: 7)).hex
            #expect(
                try await client.request(.resumeCheckHalfMessage, [("msgId", nothing)]).responseCode == .systemError)
            await client.close()
        }
    }

    @Test("A producer whose clock is an hour ahead is asked as soon as any other")
    func clockAhead() async throws {
        try await LiveBroker.with({ $0.transactions.timeout = .milliseconds(1) }) { broker in
            let client = FakeClient("p", of: broker)
            _ = try await client.heartbeat(producers: ["P"])
            let properties: MessageProperties = [
                PropertyName.transactionPrepared: "true", PropertyName.producerGroup: "P", PropertyName.uniqueKey: "K1",
            ]
            let ahead = TimeSource.system.now().advanced(by: .seconds(3600))
            _ = try await client.send("order", to: "T", properties: properties, sysFlag: 4, born: ahead)
            await client.waitFor(.checkTransactionState)
            await client.close()
        }
    }

    @Test("Messages committed through check-backs are all there as soon as a later message is")
    func checkBacksUnderLoad() async throws {
        try await LiveBroker.with { broker in
            let store = broker.service.broker.store
            let client = FakeClient("p", of: broker)
            _ = try await client.heartbeat(producers: ["P"])
            for number in 0..<100 {
                _ = try await client.sendHalf("\(number)", to: "T", key: "K\(number)", immunity: 0)
            }
            store.dispatchPending()
            broker.service.broker.transactions.checkDue(clients: broker.service.broker.clients)
            await client.waitFor(.checkTransactionState, count: 100)
            let checks = client.requests.filter { $0.requestCode == .checkTransactionState }
            await withTaskGroup { group in
                for check in checks {
                    let half = SentHalf(
                        group: "P", key: check.fields.string("msgId") ?? "",
                        queueOffset: check.fields.int64("tranStateTableOffset") ?? -1,
                        logOffset: check.fields.int64("commitLogOffset") ?? -1
                    )
                    group.addTask {
                        let answer = try? await client.end(half, .commit)
                        #expect(answer?.1 == .accepted)
                    }
                }
            }
            try await client.send("marker", to: "Markers")
            // The dispatcher goes through the log in order: held until the marker, and with it all before, is readable.
            #expect(try await client.pull("Markers", hold: 20_000).1.count == 1)
            #expect(store.maximumOffset(of: store.queue("T", 0)).rawValue == 100)
            await client.close()
        }
    }
}
