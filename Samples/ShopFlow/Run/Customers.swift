import Escrow
import GRDB
import MQClient
import MQProtocol
import OrderService
import RegistrationMail
import ShopEvents
import Synchronization

/// Does what the workload says customers do, many at a time, each waiting for what its own order becomes.
///
/// Everything it does is safe to do again: after a crash it does all of it, and the services know what they have seen.
struct Customers: Sendable {
    let workload: Workload
    let store: Store
    let shop: Shop
    let time: TimeSource
    let onStep: @Sendable (_ done: Int) -> Void

    /// Customers in the shop at once. More would only queue at the databases' writers.
    static let atOnce = 128

    fileprivate enum Step: Sendable {
        case order(PlannedOrder)
        case goods(PlannedReturn)
        case user(PlannedUser)
    }

    /// Before the services run: whoever wanted to pay when the last run ended pays now, so that its deadline does not
    /// count the time in between.
    func payWhatWaits() async throws {
        let waiting = try await store.orders.read { db in
            try String.fetchAll(db, sql: "SELECT id FROM shop_order WHERE state = 'reserved'")
        }
        let paying = Set(workload.orders.filter { $0.behaviour == .pays }.map { ExactText($0.id) })
        for order in waiting where paying.contains(ExactText(order)) {
            try await insist { try await shop.orders.service.pay(order, payment: PlannedOrder.payment(of: order)) }
        }
    }

    /// Returns when every customer has done everything; orders that nobody pays may still be open.
    func run() async throws {
        let known = try await knownOrders()
        let agenda = Agenda(try await open(known), of: workload.steps)
        try await withThrowingTaskGroup(of: Void.self) { late in
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                for _ in 0..<Self.atOnce {
                    tasks.addTask {
                        while let step = agenda.next() {
                            try Task.checkCancellation()
                            try await perform(step)
                            onStep(agenda.finish())
                        }
                    }
                }
                try await tasks.waitForAll()
            }
            for order in workload.orders where order.behaviour == .paysLate {
                late.addTask { try await payLate(order) }
            }
            try await late.waitForAll()
        }
    }

    /// What is left to do, the first last.
    private func open(_ known: [ExactText: OrderState]) async throws -> [Step] {
        let notes = try await store.orders.read { db in
            Set(try String.fetchAll(db, sql: "SELECT id FROM credit_note").map(ExactText.init))
        }
        let users = try await store.registration.read { db in
            Set(try String.fetchAll(db, sql: "SELECT address FROM account"))
        }
        var steps: [Step] = workload.users.filter { !users.contains($0.address) }.map(Step.user)
        steps += workload.orders.filter { !(known[ExactText($0.id)]?.isFinal ?? false) }.map(Step.order)
        steps += workload.returns.filter { !notes.contains(ExactText($0.id)) }.map(Step.goods)
        return steps.reversed()
    }

    private func knownOrders() async throws -> [ExactText: OrderState] {
        try await store.orders.read { db in
            var states: [ExactText: OrderState] = [:]
            let rows = try Row.fetchCursor(db, sql: "SELECT id, state FROM shop_order")
            while let row = try rows.next() { states[ExactText(row[0])] = row[1] }
            return states
        }
    }

    // MARK: Steps

    private func perform(_ step: Step) async throws {
        switch step {
        case .order(let order): try await buy(order)
        case .goods(let note):
            try await insist { try await shop.orders.service.takeBack(note.id, lines: note.lines) }
        case .user(let user):
            try await insist {
                try await shop.registration.service.register(user.address, name: user.name, phone: user.phone)
            }
        }
    }

    /// Places an order, waits for its stock, and pays or not.
    private func buy(_ order: PlannedOrder) async throws {
        shop.decisions.watch(order.id)
        defer { shop.decisions.unwatch(order.id) }
        try await insist { try await shop.orders.service.place(order.id, lines: order.lines) }
        let state = try await wait(for: order) { $0 != .placed }
        guard state == .reserved, order.behaviour == .pays else { return }
        try await insist { try await shop.orders.service.pay(order.id, payment: order.payment) }
    }

    /// Waits until an order is cancelled, and then pays all the same.
    private func payLate(_ order: PlannedOrder) async throws {
        shop.decisions.watch(order.id)
        defer { shop.decisions.unwatch(order.id) }
        guard try await wait(for: order, until: \.isFinal) == .cancelled else { return }
        try await insist { try await shop.orders.service.paymentArrived(order.payment, for: order.id) }
    }

    private func wait(
        for order: PlannedOrder, until condition: (OrderState) -> Bool
    ) async throws -> OrderState {
        while true {
            try Task.checkCancellation()
            let state = try await shop.orders.service.state(of: order.id)
            if let state, condition(state) { return state }
            await shop.decisions.next(of: order.id)
        }
    }

    // MARK: Trying again

    private static let pauses: [Duration] = [.milliseconds(20), .milliseconds(50), .milliseconds(200), .seconds(1)]

    private static func canPass(_ error: EscrowError) -> Bool { error.isRetriable || error.code == .stopped }

    /// Makes a call again while its failure can pass: the broker is away, or the service was stopped.
    private func insist<Value>(_ call: () async throws -> TransactionResult<Value>) async throws {
        var attempt = 0
        while true {
            try Task.checkCancellation()
            do {
                switch try await call() {
                case .committed: return
                case .fenced: break
                case .inDoubt(let transaction): if try await transaction.settle() == .commit { return }
                }
            } catch let error as EscrowError where Self.canPass(error) {
            } catch is CancellationError where !Task.isCancelled {
            }
            try await time.sleep(for: Self.pauses[min(attempt, Self.pauses.count - 1)])
            attempt += 1
        }
    }
}

extension PlannedOrder {
    static func payment(of order: String) -> String { "pay-\(order)" }
}

/// What customers have not done yet.
private final class Agenda: Sendable {
    private let state: Mutex<(steps: [Customers.Step], done: Int)>

    /// - Parameters:
    ///   - steps: the first last.
    ///   - all: steps of the whole workload.
    init(_ steps: [Customers.Step], of all: Int) {
        state = Mutex((steps, all - steps.count))
    }

    func next() -> Customers.Step? {
        state.withLock { $0.steps.popLast() }
    }

    /// - Returns: how many are done now.
    func finish() -> Int {
        state.withLock { state in
            state.done += 1
            return state.done
        }
    }
}
