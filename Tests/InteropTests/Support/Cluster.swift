import MQClient
import ProcessSupport

/// A name server and a broker, each a process of its own, on free ports and a temporary store.
struct Cluster: Sendable {
    /// Where everything of this cluster is kept.
    let directory: String
    let nameServer: String
    let brokerAddress: String
    let client: MQClient
    let broker: RestartableBroker

    /// - Parameter settings: further lines of the broker's configuration.
    static func with<Value: Sendable>(
        settings: [String: String] = [:], _ body: @escaping @Sendable (Cluster) async throws -> Value
    ) async throws -> Value {
        try await TemporaryDirectory.with { directory in
            let ended = try await NameServerProcess.run(directory: directory) { nameServer in
                var properties = ["flushDiskType": "ASYNC_FLUSH"]
                properties.merge(settings) { _, given in given }
                let options = BrokerProcess.Options(
                    store: "\(directory)/store", port: try await FreePorts.next(), nameServer: nameServer.address,
                    properties: properties)
                let broker = RestartableBroker(options)
                return try await broker.with { address in
                    let servers = try NameServerAddresses(nameServer.address)
                    return try await MQClient.with(MQClientConfiguration(nameServers: servers)) { client in
                        try await body(
                            Cluster(
                                directory: directory, nameServer: nameServer.address, brokerAddress: address,
                                client: client, broker: broker))
                    }
                }
            }
            return ended.value
        }
    }

    /// Creates a topic, and returns when the name server gives out its route.
    func createTopic(_ name: String, queues: Int32 = 4) async throws {
        let topic = TopicConfiguration(name: name, readQueues: queues, writeQueues: queues)
        try await client.createTopic(topic, onBroker: brokerAddress)
        try await eventually("the route of \(name)") {
            (try? await client.topicRoute(name)) != nil
        }
    }

    /// Asks again and again until the answer is yes; every question takes a round trip to a server.
    func eventually(_ what: String, _ isTrue: () async throws -> Bool) async throws {
        let limit = ContinuousClock.now + .seconds(60)
        while try await !isTrue() {
            guard ContinuousClock.now < limit else { throw InteropError("\(what) did not come about within 60 s") }
        }
    }

    /// Every message of a topic, read with our own client, queue by queue.
    func everything(in topic: String) async throws -> [ReceivedMessage] {
        var messages: [ReceivedMessage] = []
        for queue in try await client.subscribeQueues(topic) {
            var offset = try await client.minimumOffset(of: queue)
            let end = try await client.maximumOffset(of: queue)
            while offset < end {
                let result = try await client.pull(queue, from: offset)
                messages += result.messages
                guard result.nextOffset > offset else { break }
                offset = result.nextOffset
            }
        }
        return messages
    }
}
