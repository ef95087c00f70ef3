import Foundation
import MQProtocol
import ProcessSupport
import Testing

extension ProcessTests {
    @Suite("A full disk", .enabled(if: SmallFileSystem.isAvailable, "mounting a small file system needs root"))
    struct DiskFullTests {
        private static let queue = QueueName("Full", 0)

        /// A broker that may use its whole disk, so that the system is what refuses.
        private static let toTheBrim = ["cleanFileForciblyEnable": "false"]

        @Test(
            "refuses sends with a reason, serves pulls, and goes on when there is space", .timeLimit(.minutes(1)),
            arguments: ["SYNC_FLUSH", "ASYNC_FLUSH"])
        func refusesAndResumes(flush: String) async throws {
            let journal = Journal()
            _ = try await SmallFileSystem.with(megabytes: 48) { directory in
                let options = StoreSettings.options(store: directory + "/store", flush: flush, Self.toTheBrim)
                let ended = try await BrokerProcess.run(options) { broker in
                    try await RawClient.with(broker.address) { client in
                        try await client.createTopic(Self.queue.topic, queues: 1)
                        let load = Load(
                            client: client, journal: journal, queues: [Self.queue], senders: 8, round: 0, seed: 5)
                        await load.run(acknowledgements: 200, strike: nil)
                        let ballast = try SmallFileSystem.fill(directory, leaving: 64 * 1024)
                        try await Self.sendUntilRefused(client, journal)
                        try await Self.checkRefusal(client, journal, of: directory)
                        try await Self.sendUntilShareIsNamed(client, journal, of: directory)
                        try FileManager.default.removeItem(atPath: ballast)
                        try await Self.sendUntilAccepted(client, journal)
                        let contents = try await client.readAll([Self.queue])
                        #expect(journal.history.violations(in: contents) == [])
                    }
                }
                #expect(ended.exit == .code(0))
                _ = try await BrokerProcess.run(options) { broker in
                    try await RawClient.with(broker.address) { client in
                        let contents = try await client.readAll([Self.queue])
                        #expect(journal.history.violations(in: contents) == [])
                    }
                }
            }
        }

        @Test("at the start is one line and exit code 68", .timeLimit(.minutes(1)))
        func fullAtStart() async throws {
            _ = try await SmallFileSystem.with(megabytes: 8) { directory in
                let port = try await FreePorts.next()
                let options = StoreSettings.options(store: directory + "/store")
                let file = try BrokerProcess.writeProperties(options, port: port)
                _ = try SmallFileSystem.fill(directory)
                let completed = try await CompletedProcess.run("mqbroker", ["-c", file])
                completed.expectFailure(code: 68, mentioning: ["space"])
            }
        }

        private static func send(_ client: RawClient, _ journal: Journal) async throws -> SendAnswer {
            let numbers = journal.begin(1, to: queue, by: 99)
            let answer = try await client.send(Payload.message(numbers[0], to: queue))
            if answer.code == .success {
                _ = journal.acknowledge(numbers, from: Place(queue: queue, offset: answer.queueOffset))
            }
            return answer
        }

        private static func sendUntilRefused(_ client: RawClient, _ journal: Journal) async throws {
            for _ in 0..<50_000 {
                let answer = try await send(client, journal)
                if answer.code == .success || answer.code == .flushDiskTimeout { continue }
                return
            }
            Issue.record("a full disk took 50,000 messages")
        }

        /// Whatever refuses first, the system or the store's look at the disk, names a path there.
        private static func checkRefusal(_ client: RawClient, _ journal: Journal, of directory: String) async throws {
            let answer = try await send(client, journal)
            #expect(answer.code == .serviceNotAvailable)
            let remark = answer.remark ?? ""
            let isExact = remark.hasPrefix("service not available now: ") && remark.contains(directory + "/store")
            #expect(isExact, "the remark is \"\(remark)\"")
            let contents = try await client.readAll([queue])
            #expect(journal.history.violations(in: contents) == [])
        }

        /// The store looks at its disk once a second.
        private static func sendUntilShareIsNamed(
            _ client: RawClient, _ journal: Journal, of directory: String
        ) async throws {
            let rest =
                "is used, and messages are refused until it is 89 % or less: free space there, or delete old messages"
                + " (lower fileReservedTime, or request 329)"
            var remark = ""
            for _ in 0..<100 {
                remark = try await send(client, journal).remark ?? ""
                if remark.contains(" % of the disk under \(directory)/store"), remark.hasSuffix(rest) { return }
                _ = try await client.pull(queue, from: client.maximumOffset(queue), hold: .milliseconds(200))
            }
            Issue.record("no refusal named the share of the disk within 20 s; the last one is \"\(remark)\"")
        }

        /// Between the attempts waits as long as the broker holds a pull at the queue's end.
        private static func sendUntilAccepted(_ client: RawClient, _ journal: Journal) async throws {
            for _ in 0..<100 {
                if try await send(client, journal).code == .success { return }
                _ = try await client.pull(queue, from: client.maximumOffset(queue), hold: .milliseconds(200))
            }
            Issue.record("sending did not resume within 20 s after space was freed")
        }
    }
}
