import Foundation
import MQClient
import MQEmbedded
import MQProtocol
import MQStore
import ServiceLifecycle
import Testing

@Suite struct EmbeddedBrokerTests {
    @Test("It serves at once, creates topics by sends, and leaves nothing of a temporary directory")
    func serves() async throws {
        let directory = try await Embedded.with { broker, client in
            let receipt = try await client.send(Message(topic: "Orders", body: "hello"))
            #expect(receipt.status == .stored)
            #expect(receipt.queue.brokerName == "embedded")
            #expect(try await client.publishQueues("Orders").count == 4)
            let message = try await Embedded.message(of: receipt.queue, at: 0, client)
            #expect(message.text == "hello")
            #expect(FileManager.default.fileExists(atPath: broker.directory))
            return broker.directory
        }
        #expect(!FileManager.default.fileExists(atPath: directory))
    }

    @Test("A restart on the same directory keeps messages, topics and offsets, at another port")
    func restart() async throws {
        try await Embedded.withDirectory { directory in
            let configuration = EmbeddedBrokerConfiguration(directory: directory)
            let queue = try await Embedded.with(configuration) { _, client in
                let receipt = try await client.send(Message(topic: "Orders", body: "first"))
                try await client.setConsumerOffset(1, of: receipt.queue, group: "Readers")
                return receipt.queue
            }
            try await Embedded.with(configuration) { _, client in
                #expect(try await Embedded.messages(of: "Orders", client).map(\.text) == ["first"])
                #expect(try await client.consumerOffset(of: queue, group: "Readers") == 1)
                let receipt = try await client.send(Message(topic: "Orders", body: "second"), to: queue)
                #expect(receipt.queueOffset == 1)
            }
        }
    }

    @Test("Half an hour of delay passes in no time on a manual clock")
    func manualClock() async throws {
        let clock = ManualClock(start: Timestamp(milliseconds: 1_700_000_000_000))
        var configuration = EmbeddedBrokerConfiguration()
        configuration.time = .manual(clock)
        try await Embedded.with(configuration) { _, client in
            var message = Message(topic: "Orders", body: "cancel if unpaid")
            message.delay = .after(.seconds(1800))
            let receipt = try await client.send(message)
            clock.advance(by: .milliseconds(1_799_999))
            #expect(try await Embedded.messages(of: "Orders", client).isEmpty)
            clock.advance(by: .milliseconds(1))
            let delivered = try await Embedded.message(of: receipt.queue, at: 0, client)
            #expect(delivered.text == "cancel if unpaid")
            #expect(delivered.storeTimestamp.milliseconds >= 1_700_000_000_000 + 1_800_000)
        }
    }

    @Test("A directory in use is the store's own error, and stays usable")
    func locked() async throws {
        try await Embedded.withDirectory { directory in
            let configuration = EmbeddedBrokerConfiguration(directory: directory)
            try await Embedded.with(configuration) { _, client in
                let error = await #expect(throws: StoreError.self) { try await EmbeddedBroker.start(configuration) }
                #expect(error?.code == .locked)
                #expect(error?.message.contains(directory) == true)
                _ = try await client.send(Message(topic: "Orders", body: "still here"))
            }
        }
    }

    @Test("A damaged directory is the store's own error")
    func corrupt() async throws {
        try await Embedded.withDirectory { directory in
            let configuration = EmbeddedBrokerConfiguration(directory: directory)
            try await Embedded.with(configuration) { _, client in
                _ = try await client.send(Message(topic: "Orders", body: "x"))
            }
            let segment = URL(filePath: "\(directory)/commitlog/00000000000000000000")
            let file = try FileHandle(forWritingTo: segment)
            try file.truncate(atOffset: 12345)
            try file.close()
            let error = await #expect(throws: StoreError.self) { try await EmbeddedBroker.start(configuration) }
            #expect(error?.code == .corrupt)
        }
    }

    @Test("As a service it stops with its group, and is ready for another start")
    func asService() async throws {
        try await Embedded.withDirectory { directory in
            let configuration = EmbeddedBrokerConfiguration(directory: directory)
            let broker = try await EmbeddedBroker.start(configuration)
            let group = ServiceGroup(services: [broker], logger: configuration.logger)
            async let served: Void = group.run()
            try await Embedded.client(of: broker) { client in
                _ = try await client.send(Message(topic: "Orders", body: "x"))
            }
            await group.triggerGracefulShutdown()
            try await served
            try await Embedded.with(configuration) { _, client in
                let messages = try await Embedded.messages(of: "Orders", client)
                #expect(messages.count == 1)
            }
        }
    }

    @Test("A cancelled run stops it too")
    func cancelled() async throws {
        try await Embedded.withDirectory { directory in
            let configuration = EmbeddedBrokerConfiguration(directory: directory)
            let broker = try await EmbeddedBroker.start(configuration)
            let running = Task { try await broker.run() }
            running.cancel()
            try await running.value
            let again = try await EmbeddedBroker.start(configuration)
            await again.stop()
        }
    }
}
