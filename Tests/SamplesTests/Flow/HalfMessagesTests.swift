import Foundation
import Logging
import MQClient
import MQEmbedded
import MQProtocol
import Testing

@testable import ShopFlow

/// What is read of the topics that all producers of a broker share.
@Suite(.timeLimit(.minutes(1))) struct HalfMessagesTests {
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
    }

    private func openStore() throws -> Store {
        let settings = WorkloadSettings(.demo(orders: 1))
        return try Store.open(
            folder.url.appending(path: "store"), .demo(orders: 1, settings), settings, isEmbedded: false, now: .zero)
    }

    private func withClient(
        _ directory: String, _ body: (MQClient, TransactionProducer) async throws -> Void
    ) async throws {
        try await EmbeddedBroker.with(directory: folder.path(directory)) { broker in
            var configuration = MQClientConfiguration(nameServers: try NameServerAddresses(broker.nameServers))
            configuration.logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
            try await MQClient.with(configuration) { client in
                try await body(client, try TransactionProducer(client, group: "somebody") { _ in .unknown })
            }
        }
    }

    private func send(_ store: Store, _ producer: TransactionProducer) async throws -> HalfMessage {
        try await producer.sendHalf(Message(topic: "\(store.settings.namespace)%orders", body: "{}"))
    }

    /// Returns when the queues, which follow the log a moment later, have so many of the store without a verdict.
    private func wait(until count: Int, _ store: Store, _ client: MQClient) async throws {
        let all = HalfMessages(
            namespace: store.settings.namespace, beginnings: [HalfBeginning(broker: "embedded")], client: client)
        while try await all.undecided().count != count { await Task.yield() }
    }

    /// What stands there when the store is made is not its own. Planted under its namespace, it would be seen.
    @Test func aStoreReadsWhatIsBehindItsBeginning() async throws {
        try await withClient("broker") { client, producer in
            let store = try openStore()
            for _ in 0..<3 { _ = try await producer.end(try await send(store, producer), .rollback) }
            for _ in 0..<2 { _ = try await send(store, producer) }
            try await wait(until: 2, store, client)
            let halves = try await HalfMessages.of(store, at: ["embedded"], client)
            #expect(halves.beginnings.map(\.half) == [5])
            #expect(halves.beginnings.allSatisfy { $0.verdict > 0 })
            #expect(try await halves.undecided() == [])
            let half = try await send(store, producer)
            try await wait(until: 3, store, client)
            #expect(try await halves.undecided().count == 1)
            try store.close()

            let resumed = try openStore()
            let later = try await HalfMessages.of(resumed, at: ["embedded"], client)
            #expect(later.beginnings == halves.beginnings)
            #expect(try await later.undecided().count == 1)
            _ = try await producer.end(half, .rollback)
            try await wait(until: 2, resumed, client)
            #expect(try await later.undecided() == [])
            try resumed.close()
        }
    }

    @Test func aBrokerThatHasLessIsReadFromItsFirst() async throws {
        let store = try openStore()
        try await withClient("first") { client, producer in
            for _ in 0..<3 { _ = try await send(store, producer) }
            try await wait(until: 3, store, client)
            let halves = try await HalfMessages.of(store, at: ["embedded"], client)
            #expect(try await halves.undecided() == [])
        }
        try store.close()
        let resumed = try openStore()
        try await withClient("second") { client, producer in
            _ = try await send(resumed, producer)
            try await wait(until: 1, resumed, client)
            let halves = try await HalfMessages.of(resumed, at: ["embedded"], client)
            #expect(halves.beginnings.map(\.half) == [3])
            #expect(try await halves.undecided().count == 1)
        }
        try resumed.close()
    }

    /// One of a version that remembered nothing.
    @Test func withoutABeginningEverythingIsRead() async throws {
        let store = try openStore()
        try await withClient("broker") { client, producer in
            _ = try await send(store, producer)
            try await wait(until: 1, store, client)
            try store.close()
            let resumed = try openStore()
            let halves = try await HalfMessages.of(resumed, at: ["embedded"], client)
            #expect(halves.beginnings == [HalfBeginning(broker: "embedded")])
            #expect(try await halves.undecided().count == 1)
            try resumed.close()
        }
    }
}
