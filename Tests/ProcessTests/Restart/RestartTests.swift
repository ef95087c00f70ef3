import Foundation
import MQProtocol
import NIOCore
import ProcessOutput
import ProcessSupport
import Testing

extension ProcessTests {
    @Suite("Restart")
    struct RestartTests {
        @Test("A clean stop leaves no abort file, and the next start is quick")
        func cleanStop() async throws {
            try await TemporaryDirectory.with { directory in
                let options = StoreSettings.options(store: directory + "/store")
                let journal = Journal()
                let queue = QueueName("Clean", 0)
                let ended = try await BrokerProcess.run(options) { broker in
                    #expect(FileManager.default.fileExists(atPath: options.store + "/abort"))
                    try await RawClient.with(broker.address) { client in
                        let load = Load(
                            client: client, journal: journal, queues: [queue], senders: 8, round: 0, seed: 3)
                        await load.run(acknowledgements: 500, strike: nil)
                    }
                    broker.process.terminate()
                    await broker.process.output.finished()
                }
                #expect(ended.exit == .code(0))
                #expect(!FileManager.default.fileExists(atPath: options.store + "/abort"))
                let begun = ContinuousClock.now
                _ = try await BrokerProcess.run(options) { broker in
                    // Generous: builds for tests are slow, and the machine may be busy.
                    #expect(ContinuousClock.now - begun < .seconds(5))
                    try await RawClient.with(broker.address) { client in
                        let contents = try await client.readAll([queue])
                        #expect(journal.history.violations(in: contents) == [])
                    }
                }
            }
        }

        @Test("Topics, groups and offsets survive", arguments: [true, false])
        func administrationSurvives(kill: Bool) async throws {
            try await TemporaryDirectory.with { directory in
                let options = StoreSettings.options(store: directory + "/store")
                let ended = try await BrokerProcess.run(options) { broker in
                    try await RawClient.with(broker.address) { client in
                        try await Self.administrate(client)
                        if kill { broker.process.kill() }
                    }
                }
                #expect(ended.exit == (kill ? .signal(9) : .code(0)))
                _ = try await BrokerProcess.run(options) { broker in
                    try await RawClient.with(broker.address) { client in
                        try await Self.verify(client, offsetsAreExact: !kill)
                    }
                }
            }
        }

        private static func administrate(_ client: RawClient) async throws {
            try await client.createTopic("Seven", queues: 7)
            try await client.createTopic("Gone", queues: 2)
            try await client.require(.deleteTopicInBroker, [("topic", "Gone")])
            let group = #"{"groupName":"readers","retryMaxTimes":3,"retryQueueNums":1,"consumeEnable":true}"#
            try await client.require(.updateAndCreateSubscriptionGroup, body: ByteBuffer(string: group))
            for offset in 1...3 {
                let answer = try await client.send(Payload.message(Int64(offset), to: QueueName("Seven", 5)))
                #expect(answer.code == .success)
            }
            for offset in 1...3 {
                try await client.require(.updateConsumerOffset, offsetFields + [("commitOffset", "\(offset)")])
            }
        }

        private static func object(_ client: RawClient, _ code: RequestCode) async throws -> [String: Any]? {
            let body = try await client.require(code).body
            return try JSONSerialization.jsonObject(with: Data(body.readableBytesView)) as? [String: Any]
        }

        private static let offsetFields = [("consumerGroup", "readers"), ("topic", "Seven"), ("queueId", "5")]

        private static func verify(_ client: RawClient, offsetsAreExact: Bool) async throws {
            let topics = try await Self.object(client, .getAllTopicConfig)
            let table = try #require(topics?["topicConfigTable"] as? [String: [String: Any]])
            #expect(table["Seven"]?["readQueueNums"] as? Int == 7)
            #expect(table["Gone"] == nil)
            let groups = try await Self.object(client, .getAllSubscriptionGroupConfig)
            let group = try #require((groups?["subscriptionGroupTable"] as? [String: [String: Any]])?["readers"])
            #expect(group["retryMaxTimes"] as? Int == 3)
            // Offsets are written every few seconds: after a kill an earlier one is right too.
            let answer = try await client.request(.queryConsumerOffset, offsetFields)
            if offsetsAreExact {
                #expect(answer.responseCode == .success)
                #expect(answer.fields.int64("offset") == 3)
            } else if answer.responseCode == .success {
                #expect((0...3).contains(answer.fields.int64("offset") ?? -1))
            } else {
                #expect(answer.responseCode == .queryNotFound)
            }
        }
    }
}
