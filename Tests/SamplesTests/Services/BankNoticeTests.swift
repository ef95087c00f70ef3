import Foundation
import GRDB
import MQProtocol
import ShopEvents
import Synchronization
import Testing

@testable import Escrow
@testable import OrderService

/// Notices of a bank that come before the inventory has answered.
@Suite(.timeLimit(.minutes(1))) struct BankNoticeTests {
    private let stores: GoodShop
    private let shop: OrderService
    private let clock = ManualClock(start: Timestamp(milliseconds: 1_000_000))
    private let notice = PaymentReceived(order: "17", payment: "p17")

    /// An order that waits for its stock.
    init() async throws {
        stores = try GoodShop()
        var configuration = EscrowConfiguration.embedded()
        configuration.time = .manual(clock)
        shop = try OrderService(stores.orders, configuration: configuration)
        _ = try await shop.escrow.transaction { tx in
            try OrderTable.insert(
                tx.database, "17", lines: [Line(position: 1, code: "A", quantity: 1)], now: tx.now)
        }
    }

    private func deliver() async throws -> Delivery.Result {
        let address = EventAddress(topic: PaymentReceived.topic.name, tag: PaymentReceived.name)
        let handler = try #require(shop.escrow.registry.withLock { $0.consumers["payments"]?[address] })
        let body = try PaymentReceived.codec.encode(notice)
        let event = try handler.prepare(body)
        let letter = DeadLetterTable.Letter(
            consumer: "payments", idempotencyKey: event.idempotencyKey, orderingKey: event.orderingKey,
            topic: address.topic, tag: address.tag, body: body, messageID: "m", born: clock.now())
        let delivery = Delivery(content: .event(event, handler.policy), letter: letter)
        let pieces = DeliveryPieces(service: shop.escrow.serviceContext(), consumer: "payments")
        return await withCheckedContinuation { continuation in
            shop.escrow.writer.add([
                pieces.piece(delivery, in: BatchGate(), at: 0) { continuation.resume(returning: $0) }
            ])
        }
    }

    private func reserve() async throws {
        _ = try await shop.escrow.transaction { tx in
            try OrderTable.move(tx.database, "17", from: .placed, to: .reserved, now: tx.now)
        }
    }

    /// Delivers the notice after each pause again, as its queue does.
    ///
    /// - Parameter reserved: when the inventory answers, after the first delivery.
    /// - Returns: how long the queue stood still; whether the notice was handled and not given up.
    private func handle(reservedAfter reserved: Duration) async throws -> (standstill: Duration, isHandled: Bool) {
        let start = clock.now()
        var isReserved = false
        while true {
            let passed = start.duration(to: clock.now())
            if !isReserved, passed >= reserved {
                try await reserve()
                isReserved = true
            }
            switch try await deliver() {
            case .settled: return (passed, true)
            case .dead: return (passed, false)
            case .later(let pause): clock.advance(by: pause)
            case .again: continue
            case .held, .trouble: throw Unexpected()
            }
        }
    }

    private struct Unexpected: Error {}

    @Test func aRestartOfTheInventoryCostsNoDeadLetter() async throws {
        let (standstill, isHandled) = try await handle(reservedAfter: .seconds(12))
        #expect(isHandled)
        #expect(standstill < .seconds(18), "\(standstill)")
        #expect(try await shop.state(of: "17") == .paid)
        #expect(try await Inspection(stores.orders).deadLetters().isEmpty)
    }

    /// Payments of other orders wait behind it.
    @Test func aNoticeThatWaitsForLongLetsTheOthersPass() async throws {
        let (standstill, isHandled) = try await handle(reservedAfter: .seconds(86_400))
        #expect(!isHandled)
        #expect(standstill <= .seconds(300), "\(standstill)")
        let letters = try await Inspection(stores.orders).deadLetters()
        #expect(letters.map(\.reason) == ["The order 17 still waits for its stock: pay again in a moment."])
    }
}
