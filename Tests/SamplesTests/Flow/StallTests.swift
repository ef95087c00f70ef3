import Escrow
import Foundation
import GRDB
import Logging
import MQClient
import MQEmbedded
import MQProtocol
import Testing

@testable import ShopFlow

/// What a run says while nothing moves.
@Suite(.serialized, .timeLimit(.minutes(1))) struct StallTests {
    private let folder: TemporaryFolder
    private let store: Store
    private let now = Timestamp(milliseconds: 1_000_000)

    init() throws {
        folder = try TemporaryFolder()
        let settings = WorkloadSettings(.demo(orders: 1))
        store = try Store.open(
            folder.url.appending(path: "store"), .demo(orders: 1, settings), settings, isEmbedded: false, now: now)
        for (name, database) in store.services {
            _ = try Escrow(name, database: database, configuration: .embedded())
        }
    }

    private func cause(at broker: EmbeddedBroker, isKept: Bool = false) async throws -> String? {
        try await cause(try NameServerAddresses(broker.nameServers), isKept: isKept)
    }

    private func cause(_ nameServers: NameServerAddresses, isKept: Bool) async throws -> String? {
        var configuration = MQClientConfiguration(nameServers: nameServers)
        configuration.logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        return try await MQClient.with(configuration) { client in
            let halves = HalfMessages(
                namespace: store.settings.namespace, beginnings: [HalfBeginning(broker: "embedded")], client: client)
            return try await Stall(store: store, halves: halves, nameServers: nameServers, isKept: isKept)
                .cause(now: now)
        }
    }

    private func withBroker(_ body: (EmbeddedBroker) async throws -> Void) async throws {
        try await EmbeddedBroker.with(directory: folder.path("broker"), body)
    }

    private func place() async throws {
        try await store.orders.write { db in
            try db.execute(
                sql: "INSERT INTO shop_order (id, state, lines, units, placed) VALUES ('17', 'placed', 1, 1, 1)")
        }
    }

    @Test func nothingIsSaidWhileNothingIsOpen() async throws {
        try await withBroker { broker in
            let text = try await cause(at: broker)
            #expect(text == nil)
        }
    }

    /// All that is open is a deadline whose time has not come.
    @Test func nothingIsSaidWhileOnlyTimeHasToPass() async throws {
        try await store.orders.write { db in
            try db.execute(
                sql: """
                    INSERT INTO escrow_deadline (name, key, generation, due, state, armed)
                    VALUES ('payment', '17', 1, 1000001, 'armed', 1)
                    """)
        }
        let text = try await cause(try NameServerAddresses("127.0.0.1:1"), isKept: false)
        #expect(text == nil)
    }

    @Test(arguments: [true, false])
    func aBrokerThatIsAwayIsNamed(isKept: Bool) async throws {
        try await place()
        let text = try await cause(try NameServerAddresses("127.0.0.1:1"), isKept: isKept)
        let hint = isKept ? "Ctrl-C is safe, the same --store goes on later." : "Ctrl-C ends the run."
        #expect(text == "waiting: no progress for 5 s; is the broker at 127.0.0.1:1 running? \(hint)")
    }

    @Test func aBrokerThatWaitsForAVerdictIsSaid() async throws {
        try await place()
        try await withBroker { broker in
            let nameServers = try NameServerAddresses(broker.nameServers)
            try await MQClient.with(MQClientConfiguration(nameServers: nameServers)) { client in
                let producer = try TransactionProducer(client, group: "nobody") { _ in .unknown }
                _ = try await producer.sendHalf(
                    Message(topic: "\(store.settings.namespace)%orders", body: "{}"))
            }
            let text = try await cause(at: broker) ?? ""
            #expect(text.contains("a broker asks within about a minute what became of one message."))
        }
    }

    @Test func whatIsOpenIsCounted() async throws {
        try await place()
        try await withBroker { broker in
            let text = try await cause(at: broker) ?? ""
            #expect(text.contains("the broker answers, still open: 1."))
        }
    }
}
