import Escrow
import Foundation
import MQProtocol
import Testing

@testable import MQClient

/// Transactions at brokers that refuse or are silent.
@Suite(.timeLimit(.minutes(1))) struct BrokerTroubleTests {
    private let site: LiveSite

    init() throws {
        site = try LiveSite()
    }

    private func running(
        _ reply: @escaping @Sendable (Frame) -> StockBroker.Reply, _ body: (Escrow, StockBroker) async throws -> Void
    ) async throws {
        try await StockBroker.with(reply) { broker in
            let nameServers = try NameServerAddresses(broker.address)
            let escrow = try Escrow(
                "shop", database: site.pool, configuration: site.quiet(.cluster(nameServers: nameServers)))
            try await site.running(escrow) { try await body(escrow, broker) }
        }
    }

    /// Each verdict would be waited for as long as a request may take, one after the other: longer than this test may.
    @Test func theBodysErrorDoesNotWaitForASilentBroker() async throws {
        try await running({ $0.requestCode == .endTransaction ? .never : .standard }) { escrow, _ in
            let events = (0..<40).map { Placed(order: "\($0)") }
            await #expect(throws: Planned.self) {
                try await escrow.transaction(publishing: events) { _ in throw Planned() }
            }
        }
    }

    @Test func aMessageThatABrokerRefusesForGoodIsNotToBeTriedAgain() async throws {
        try await running({ $0.requestCode == .sendMessageV2 ? .code(.messageIllegal) : .standard }) { escrow, _ in
            let error = await #expect(throws: EscrowError.self) {
                try await escrow.transaction(Placed(order: "17")) { _ in }
            }
            #expect(error?.code == .invalidEvent && error?.isRetriable == false)
        }
    }

    @Test func aBrokerThatIsBusyMayTakeItLater() async throws {
        try await running({ $0.requestCode == .sendMessageV2 ? .code(.systemBusy) : .standard }) { escrow, _ in
            let error = await #expect(throws: EscrowError.self) {
                try await escrow.transaction(Placed(order: "17")) { _ in }
            }
            #expect(error?.code == .brokerUnavailable && error?.isRetriable == true)
        }
    }
}
