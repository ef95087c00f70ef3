import MQClient
import NIOCore

/// Sends an order's messages in order, one of them to be seen in half an hour, and reads what is there.
func firstMessages(_ nameServer: String) async throws {
    let configuration = MQClientConfiguration(nameServers: try NameServerAddresses(nameServer))
    try await MQClient.with(configuration) { client in
        // One key, one queue: messages of an order are stored in the order in which they are sent.
        _ = try await client.send(Message(topic: "Orders", body: "17 placed"), orderedBy: "17")

        // A timeout: this message becomes visible in 30 minutes, to the millisecond.
        var timeout = Message(topic: "Orders", body: "17 cancel if unpaid")
        timeout.delay = .after(.seconds(30 * 60))
        timeout.keys = ["17"]
        _ = try await client.send(timeout, orderedBy: "17")

        for queue in try await client.subscribeQueues("Orders") {
            for message in try await client.pull(queue, from: 0).messages {
                print(message.queueOffset, String(buffer: message.body))
            }
        }
    }
}
