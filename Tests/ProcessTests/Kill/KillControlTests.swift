import MQProtocol
import ProcessSupport
import Testing

extension ProcessTests {
    /// The check of the crash tests, against a real broker and a history that is wrong on purpose.
    @Suite("The check of the crash tests")
    struct KillControlTests {
        @Test("notices a message that was not sent, one that is not there, and one in another place")
        func notices() async throws {
            let queue = QueueName("Control", 0)
            let journal = Journal()
            let contents = try await TemporaryDirectory.with { directory in
                try await BrokerProcess.run(StoreSettings.options(store: directory + "/store")) { broker in
                    try await RawClient.with(broker.address) { client in
                        try await client.createTopic(queue.topic, queues: 1)
                        let load = Load(
                            client: client, journal: journal, queues: [queue], senders: 4, round: 0, seed: 1)
                        await load.run(acknowledgements: 50, strike: nil)
                        return try await client.readAll([queue])
                    }
                }.value
            }
            #expect(journal.history.violations(in: contents) == [])
            let (number, place) = try #require(journal.history.acknowledged.first)

            var forgetful = journal.history
            forgetful.forget(number)
            #expect(forgetful.violations(in: contents) == ["\(place): this message was never sent"])

            var boastful = journal.history
            boastful.send(1_000_000, to: queue, by: 0)
            boastful.acknowledge(1_000_000, at: Place(queue: queue, offset: 1_000_000))
            #expect(
                boastful.violations(in: contents)
                    == ["message 1000000 was acknowledged at Control/0@1000000, but nothing is there"])

            var moved = journal.history
            moved.acknowledge(number, at: Place(queue: queue, offset: place.offset + 1))
            #expect(moved.violations(in: contents).isEmpty == false)
        }
    }
}
