import Escrow
import GRDB
import InventoryService
import MQClient
import MQProtocol
import OrderService
import RegistrationMail
import ShopEvents

extension Checks {
    /// Topics that the services publish to.
    static let topics: Set<String> = [
        OrderPlaced.topic.name, GoodsReturned.topic.name, StockReserved.topic.name, PaymentReceived.topic.name,
        RefundOrdered.topic.name, UserRegistered.topic.name,
    ]

    /// Every check, on a store at rest.
    static func all(_ store: Store, _ topics: Topics, undecided: [String], now: Timestamp) async throws -> [CheckResult]
    {
        let input = try await store.flow.read { try StoreSettings.readInput($0) }
        var results = try await store.orders.read { db in
            try [
                inputIsAccountedFor(input, orders: db), ordersAreDecidedOnce(db), paymentsAreSettledOnce(db),
                deadlinesAreNotEarly(db),
            ]
        }
        results += try await store.inventory.read { db in
            try [stockIsConserved(db), linesAreReservedOnce(db)]
        }
        let orders = store.orders
        results.append(
            try await store.inventory.read { inventory in
                try orders.read { try paidOrdersAreConfirmed(orders: $0, inventory: inventory) }
            })
        results.append(try await store.registration.read { try usersAreWelcomedOnce($0) })
        for (name, database) in store.services {
            let handled = subscriptions(of: name)
            results += try await database.read { db in
                try [
                    eventsAreHandledOnce(db, service: name, handled, topics),
                    keysAreHandledInOrder(db, service: name, handled, topics),
                    noDeadlineIsOverdue(db, service: name, now: now.milliseconds), nothingIsInFlight(db, service: name),
                    nothingIsDead(db, service: name),
                ]
            }
        }
        results.append(noHalfIsUndecided(undecided))
        return results
    }

    private static func subscriptions(of service: String) -> Set<Subscription> {
        switch service {
        case OrderService.name: OrderService.subscriptions
        case InventoryService.name: InventoryService.subscriptions
        default: RegistrationService.subscriptions
        }
    }
}
