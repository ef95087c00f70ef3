import Foundation
import MQClient
import MQEmbedded
import MQProtocol
import Testing

/// A client of an embedded broker, with its heartbeats running.
enum Embedded {
    static func with<Value>(
        _ configuration: EmbeddedBrokerConfiguration = EmbeddedBrokerConfiguration(),
        _ body: (EmbeddedBroker, MQClient) async throws -> Value
    ) async throws -> Value {
        let broker = try await EmbeddedBroker.start(configuration)
        do {
            let value = try await client(of: broker, time: configuration.time) { try await body(broker, $0) }
            await broker.stop()
            return value
        } catch {
            await broker.stop()
            throw error
        }
    }

    static func client<Value>(
        of broker: EmbeddedBroker, time: TimeSource = .system, _ body: (MQClient) async throws -> Value
    ) async throws -> Value {
        var configuration = MQClientConfiguration(nameServers: try NameServerAddresses(broker.nameServers))
        configuration.time = time
        return try await MQClient.with(configuration) { client in
            let running = Task { try await client.run() }
            do {
                let value = try await body(client)
                running.cancel()
                try await running.value
                return value
            } catch {
                running.cancel()
                try await running.value
                throw error
            }
        }
    }

    /// A path that does not exist yet and is removed afterwards.
    static func withDirectory<Value>(_ body: (String) async throws -> Value) async throws -> Value {
        let directory = FileManager.default.temporaryDirectory.appending(path: "embedded-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: directory) }
        return try await body(directory)
    }

    /// Every visible message of a topic, in order of queue and offset.
    static func messages(of topic: String, _ client: MQClient) async throws -> [ReceivedMessage] {
        var messages: [ReceivedMessage] = []
        for queue in try await client.subscribeQueues(topic) {
            var offset: Int64 = 0
            while true {
                let result = try await client.pull(queue, from: offset)
                messages += result.messages
                offset = result.nextOffset
                if result.status == .noNewMessage { break }
            }
        }
        return messages
    }

    /// Waits until a queue has a message at `offset`.
    static func message(of queue: MessageQueue, at offset: Int64, _ client: MQClient) async throws -> ReceivedMessage {
        while true {
            let result = try await client.pull(queue, from: offset, waitingUpTo: .seconds(15))
            if let message = result.messages.first { return message }
        }
    }
}
