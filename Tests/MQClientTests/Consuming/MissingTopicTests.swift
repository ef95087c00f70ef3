import Logging
import MQProtocol
import Synchronization
import TestSupport
import Testing

@testable import MQClient

/// A consumer of a topic that is not there, or not yet.
@Suite(.timeLimit(.minutes(1))) struct MissingTopicTests {
    @Test("It is said once, with what to do about it, and once more when the topic is there")
    func saidOnce() async throws {
        let isThere = Mutex(false)
        let script = StubScript(pulls: [try StubAnswer.found([0], next: 1)])
        let answer: @Sendable (Frame) -> StubServer.Answer = { request in
            switch request.requestCode {
            case .getRouteInfoByTopic where !isThere.withLock({ $0 }):
                StubServer.Answer(code: .topicNotExist)
            case .getAllTopicListFromNameServer:
                StubServer.Answer(body: TopicList(topicList: ["Order", "Invoices"]).encode())
            default: script.answer(request)
            }
        }
        let log = LogLines(from: .notice)
        try await StubServer.with(answer: answer) { server in
            script.serve(at: server.address)
            var configuration = MQClientConfiguration(nameServers: try NameServerAddresses(server.address))
            configuration.clientID = "me"
            configuration.logger = log.logger
            let client = MQClient(configuration)
            var settings = ConsumerConfiguration(group: "g")
            settings.subscriptions = ["Orders": "*"]
            let consumer = try PushConsumer(client, settings) { messages, _ in messages.map { _ in .consumed } }
            let live = LiveConsumer(consumer, of: client)
            // Asked for again and again, by the heartbeats too. The group's retry topic need not be there.
            client.wakeHeartbeat()
            await poll { server.requests.count { $0.fields.string("topic") == "Orders" } >= 5 }
            let said = log.all.filter { $0.hasPrefix("route of ") }
            #expect(said.count == 1)
            for part in [server.address, "Similar names: Order.", "mqadmin updateTopic"] {
                #expect(said.first?.contains(part) == true)
            }
            isThere.withLock { $0 = true }
            await poll { consumer.statistics.queuesHeld == 2 }
            #expect(log.all.filter { $0.hasPrefix("route of ") }.dropFirst() == ["route of Orders: works again"])
            try await live.stop()
        }
    }
}
