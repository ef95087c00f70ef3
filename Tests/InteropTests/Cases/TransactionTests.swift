import MQClient
import MQProtocol
import Testing

extension InteropTests {
    @Suite struct Transactions {
        /// A first check after a second, the next ones a second apart, doubling.
        static let settings = ["transactionTimeOut": "1000", "transactionCheckInterval": "1000"]

        @Test("One-way verdicts: what is committed appears once, what is rolled back never")
        func oneWayVerdicts() async throws {
            try await withProducer { cluster, producer in
                for number in 0..<10 {
                    let half = try await producer.sendHalf("message-\(number)")
                    try await producer.end(half, number.isMultiple(of: 2) ? .commit : .rollback)
                }
                let expected = (0..<10).filter { $0.isMultiple(of: 2) }.map { "message-\($0)" }
                try await expect(expected, in: cluster, after: producer)
            }
        }

        @Test("A repeated verdict is a success and changes nothing")
        func repeatedVerdicts() async throws {
            try await withProducer { cluster, producer in
                let kept = try await producer.sendHalf("kept")
                let dropped = try await producer.sendHalf("dropped")
                for _ in 0..<3 {
                    #expect(try await producer.endAndAsk(kept, .commit).responseCode == .success)
                    #expect(try await producer.endAndAsk(dropped, .rollback).responseCode == .success)
                    try await producer.end(kept, .commit)
                }
                try await expect(["kept"], in: cluster, after: producer)
            }
        }

        @Test("The opposite of a verdict is refused with a reason, and the first one stands")
        func oppositeVerdicts() async throws {
            try await withProducer { cluster, producer in
                let kept = try await producer.sendHalf("kept")
                let dropped = try await producer.sendHalf("dropped")
                #expect(try await producer.endAndAsk(kept, .commit).responseCode == .success)
                #expect(try await producer.endAndAsk(dropped, .rollback).responseCode == .success)
                for refusal in [
                    try await producer.endAndAsk(kept, .rollback), try await producer.endAndAsk(dropped, .commit),
                ] {
                    #expect(refusal.responseCode != .success)
                    #expect(refusal.remark?.isEmpty == false)
                }
                try await expect(["kept"], in: cluster, after: producer)
            }
        }

        @Test("A missing verdict is asked for, and the answer settles it")
        func answeredChecks() async throws {
            try await withProducer { cluster, producer in
                _ = try await producer.sendHalf("yes", immunity: 1)
                _ = try await producer.sendHalf("no", immunity: 1)
                for (body, verdict) in [("yes", TransactionProducer.Verdict.commit), ("no", .rollback)] {
                    let check = try #require(await producer.waitForChecks(1, of: body).first)
                    producer.answer(check, verdict)
                }
                try await expect(["yes"], in: cluster, after: producer)
            }
        }

        @Test("A check-back that is not answered, or answered with unknown, comes again; a late verdict still counts")
        func lateVerdict() async throws {
            try await withProducer { cluster, producer in
                let silent = try await producer.sendHalf("silent", immunity: 1)
                _ = try await producer.sendHalf("unsure", immunity: 1)
                let first = try #require(await producer.waitForChecks(1, of: "unsure").first)
                producer.answer(first, .unknown)
                #expect(await producer.waitForChecks(2, of: "silent").count >= 2)
                let second = try #require(await producer.waitForChecks(2, of: "unsure").last)
                producer.answer(second, .commit)
                try await producer.end(silent, .commit)
                try await expect(["silent", "unsure"], in: cluster, after: producer)
            }
        }

        @Test("A half message survives kill -9: its check-back comes after the restart")
        func checkAfterRestart() async throws {
            try await withProducer { cluster, producer in
                _ = try await producer.sendHalf("survivor", immunity: 1)
                try await cluster.broker.killAndRestart()
                try await producer.heartbeat()
                let check = try #require(await producer.waitForChecks(1, of: "survivor").first)
                producer.answer(check, .commit)
                try await expect(["survivor"], in: cluster, after: producer)
            }
        }

        @Test("A half that was sent twice is one transaction, also after kill -9: delivered once, asked about no more")
        func copiesAfterRestart() async throws {
            try await withProducer { cluster, producer in
                let first = try await producer.sendHalf("doubled", immunity: 1)
                let copy = try await producer.sendHalf("doubled", immunity: 1, copyOf: first)
                #expect(try await producer.endAndAsk(copy, .commit).responseCode == .success)
                try await cluster.broker.killAndRestart()
                try await producer.heartbeat()
                #expect(try await producer.endAndAsk(first, .commit).responseCode == .success)
                #expect(try await producer.endAndAsk(first, .rollback).responseCode != .success)
                // A half that is due with them was asked about: they would have been by now.
                _ = try await producer.sendHalf("due", immunity: 1)
                let check = try #require(await producer.waitForChecks(1, of: "due").first)
                producer.answer(check, .commit)
                try await expect(["doubled", "due"], in: cluster, after: producer)
            }
        }

        @Test("Verdicts stay final after kill -9")
        func finalAfterRestart() async throws {
            try await withProducer { cluster, producer in
                let kept = try await producer.sendHalf("kept")
                let dropped = try await producer.sendHalf("dropped")
                #expect(try await producer.endAndAsk(kept, .commit).responseCode == .success)
                #expect(try await producer.endAndAsk(dropped, .rollback).responseCode == .success)
                try await cluster.broker.killAndRestart()
                #expect(try await producer.endAndAsk(kept, .rollback).responseCode != .success)
                #expect(try await producer.endAndAsk(dropped, .commit).responseCode != .success)
                #expect(try await producer.endAndAsk(kept, .commit).responseCode == .success)
                #expect(try await producer.endAndAsk(dropped, .rollback).responseCode == .success)
                try await expect(["kept"], in: cluster, after: producer)
            }
        }

        private func withProducer(
            _ body: @escaping @Sendable (Cluster, TransactionProducer) async throws -> Void
        ) async throws {
            try await Cluster.with(settings: Self.settings) { cluster in
                try await cluster.createTopic("Payments", queues: 1)
                try await TransactionProducer.with(cluster, group: "PG_payments", topic: "Payments") { producer in
                    try await body(cluster, producer)
                }
            }
        }

        /// Compares the topic with what it should hold, once everything that was sent before has had its effect: a
        /// last transaction on the same connection is answered only after the ones before it.
        private func expect(
            _ bodies: [String], in cluster: Cluster, after producer: TransactionProducer
        ) async throws {
            let last = try await producer.sendHalf("last")
            #expect(try await producer.endAndAsk(last, .commit).responseCode == .success)
            try await cluster.eventually("\(bodies) are visible") {
                let found = Set(try await cluster.everything(in: "Payments").map(\.text))
                return found.isSuperset(of: bodies + ["last"])
            }
            let found = try await cluster.everything(in: "Payments").map(\.text)
            #expect(found.sorted() == (bodies + ["last"]).sorted())
        }
    }
}
