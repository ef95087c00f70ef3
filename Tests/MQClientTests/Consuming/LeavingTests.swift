import MQProtocol
import MQRemoting
import Synchronization
import Testing

@testable import MQClient

/// Ends beside a broker that has stopped to answer.
@Suite(.timeLimit(.minutes(1))) struct LeavingTests {
    /// Requests that nobody cuts off would wait for an hour.
    @Test(arguments: [true, false]) func aBrokerThatHangsHoldsUpNobodyForLong(isGraceful: Bool) async throws {
        let script = StubScript(pulls: [try StubAnswer.found([0], next: 1)])
        let hangs = Mutex(false)
        try await StubServer.with(answer: { hangs.withLock { $0 } ? .never : script.answer($0) }) { server in
            script.serve(at: server.address)
            var configuration = MQClientConfiguration(nameServers: try NameServerAddresses(server.address))
            configuration.clientID = "me"
            configuration.logger = LiveCluster.quiet
            configuration.requestTimeout = .seconds(3600)
            let client = MQClient(configuration)
            var settings = ConsumerConfiguration(group: "g")
            settings.subscriptions = ["T": "*"]
            settings.order = .orderly
            let deliveries = Deliveries()
            let consumer = try PushConsumer(client, settings) { messages, queue in
                // The offset of this message is what the leaving consumer wants to store.
                hangs.withLock { $0 = true }
                deliveries.add(messages, queue)
                return messages.map { _ in .consumed }
            }
            let live = LiveConsumer(consumer, of: client)
            await deliveries.wait(forCount: 1)
            if isGraceful { try await live.stop() } else { _ = await live.cancel() }
            #expect(server.requests.contains { $0.requestCode == .updateConsumerOffset })
        }
    }
}
