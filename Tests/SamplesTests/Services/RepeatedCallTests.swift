import Escrow
import Foundation
import GRDB
import Logging
import MQProtocol
import Testing

@testable import OrderService
@testable import RegistrationMail

/// Calls that are made again when nobody remembers the first one by its key any more.
@Suite(.timeLimit(.minutes(1))) struct RepeatedCallTests {
    private let stores: GoodShop

    init() throws {
        stores = try GoodShop()
    }

    private var configuration: EscrowConfiguration {
        var configuration = EscrowConfiguration.embedded(stores.directory + "/broker")
        configuration.logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        return configuration
    }

    /// Runs a service beside `body`.
    private func running(
        _ run: @escaping @Sendable () async throws -> Void, body: () async throws -> Void
    ) async throws {
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await run() }
            let result: Result<Void, any Error>
            do { result = .success(try await body()) } catch { result = .failure(error) }
            tasks.cancelAll()
            try? await tasks.waitForAll()
            try result.get()
        }
    }

    /// Waits until nothing is open of a call, and forgets it, as is done after a week.
    private func finish(_ result: TransactionResult<Bool>, in database: DatabasePool) async throws {
        guard case .committed(let value, let receipt) = result else {
            Issue.record("not committed")
            return
        }
        #expect(value)
        #expect(!receipt.isRepeated)
        try await receipt.visible()
        try await database.write { try $0.execute(sql: "DELETE FROM escrow_fence") }
    }

    private func count(_ database: DatabasePool, _ rows: String) async throws -> Int {
        try await database.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM \(rows)") ?? 0 }
    }

    @Test func anOrderPlacedMuchLaterAgainIsOne() async throws {
        let shop = try OrderService(stores.orders, configuration: configuration)
        try await running({ try await shop.run() }) {
            for _ in 0..<2 {
                try await finish(try await shop.place("17", lines: GoodShop.lines(1)), in: stores.orders)
                try await finish(try await shop.takeBack("C17", lines: GoodShop.lines(2)), in: stores.orders)
            }
        }
        #expect(try await count(stores.orders, "shop_order WHERE id = '17'") == 1)
        #expect(try await count(stores.orders, "order_change WHERE order_id = '17'") == 1)
        #expect(try await count(stores.orders, "credit_note WHERE id = 'C17'") == 1)
    }

    @Test func aUserRegisteredMuchLaterAgainKeepsTheFirstName() async throws {
        let settings = RegistrationService.Settings(
            outbox: try OutboxFolder(URL(filePath: stores.directory + "/welcomes")))
        let registration = try RegistrationService(
            stores.registration, configuration: configuration, settings: settings)
        try await running({ try await registration.run() }) {
            for name in ["Bob", "Robert"] {
                let result = try await registration.register("bob@example.org", name: name)
                try await finish(result, in: stores.registration)
            }
        }
        #expect(try await count(stores.registration, "account WHERE address LIKE 'bob%' AND name = 'Bob'") == 1)
        #expect(try await count(stores.registration, "account WHERE address LIKE 'bob%'") == 1)
    }
}
