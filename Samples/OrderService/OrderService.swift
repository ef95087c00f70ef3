public import Escrow
public import GRDB
public import ServiceLifecycle
public import ShopEvents

/// Takes orders, waits for their stock and their payment, and cancels those that nobody pays.
///
/// It talks to the inventory and to the bank only through messages: what it changes and what it says about it are one
/// transaction each.
///
/// ```swift
/// let shop = try OrderService(OrderService.tables.open("orders.sqlite"), configuration: .embedded())
/// // … run() it in a service group, then:
/// try await shop.place("17", lines: [Line(position: 1, code: "22423", quantity: 2)])
/// try await shop.pay("17", payment: "card-4711")
/// ```
public struct OrderService: Service {
    /// Of the service, in the names of its groups.
    public static let name = "orders"

    /// Ends an order that is not paid; its key is the order.
    public static func paymentDeadline(of order: String) -> Deadline { Deadline("payment", for: order) }

    public static let subscriptions: Set<Subscription> = [
        Subscription("stock", StockReserved.topic, [StockReserved.name, StockRejected.name]),
        Subscription("payments", PaymentReceived.topic, [PaymentReceived.name]),
    ]

    public let escrow: Escrow
    private let database: any DatabaseWriter
    private let paymentTimeout: Duration
    private let onChange: @Sendable (String) -> Void

    /// - Parameters:
    ///   - paymentTimeout: how long a reserved order may wait for its payment. Default: 30 min.
    ///   - onChange: a hint that an order may stand elsewhere now, after the commit, on the writer's thread.
    public init(
        _ database: any DatabaseWriter, configuration: EscrowConfiguration,
        paymentTimeout: Duration = .seconds(1800), onChange: @escaping @Sendable (String) -> Void = { _ in }
    ) throws {
        escrow = try Escrow(Self.name, database: database, configuration: configuration)
        self.database = database
        self.paymentTimeout = paymentTimeout
        self.onChange = onChange
        try handleStock()
        try handlePayments()
    }

    public func run() async throws {
        try await escrow.run()
    }

    // MARK: What customers do

    /// Takes an order. Placed twice by an impatient customer, it is one order.
    ///
    /// - Throws: ``OrderError/Code/invalidOrder``; errors of ``Escrow/transaction(publishing:idempotencyKey:kind:_:)``.
    @discardableResult
    public func place(_ order: String, lines: [Line]) async throws -> TransactionResult<Bool> {
        try Self.check(order, lines)
        return try await escrow.transaction(
            publishing: [OrderPlaced(order: order, lines: lines)], idempotencyKey: "\(order)", kind: "place"
        ) { tx in
            // The key of a call is not kept for ever, the order is. What is published again has no effect.
            if try OrderTable.state(tx.database, of: order) == nil {
                try OrderTable.insert(tx.database, order, lines: lines, now: tx.now)
            }
            return true
        }
    }

    /// Pays at the checkout. It needs no broker: the payment is the order service's own business.
    ///
    /// Called twice, it is one payment: its row decides.
    ///
    /// - Returns: `.refused` when the order is not waiting for a payment any more, and the money goes back; also when
    ///   the payment was for another order, and then nothing is changed.
    /// - Throws: ``OrderError/Code/notReservedYet``, ``OrderError/Code/unknownOrder``.
    public func pay(_ order: String, payment: String) async throws -> TransactionResult<PaymentVerdict> {
        try await escrow.transaction { tx in
            do {
                let verdict = try settle(payment, of: order, tx)
                _ = try tx.cancel(Self.paymentDeadline(of: order))
                return verdict
            } catch let error as OrderError where error.code == .paymentTaken {
                return .refused
            }
        }
    }

    /// Takes a bank's notice that money has arrived: it is stored and handled later, on time or not.
    public func paymentArrived(_ payment: String, for order: String) async throws -> TransactionResult<Bool> {
        try await escrow.transaction(
            publishing: [PaymentReceived(order: order, payment: payment)], idempotencyKey: "\(payment)",
            kind: "arrival"
        ) { _ in true }
    }

    /// Cancels an order that is not paid yet.
    ///
    /// - Returns: false when it was paid, cancelled or rejected before, or never placed.
    public func cancel(_ order: String) async throws -> TransactionResult<Bool> {
        try await escrow.transaction { tx in
            try cancel(order, because: "by the customer", tx)
        }
    }

    /// Takes goods back, whether or not their order is known; those of one credit note once.
    @discardableResult
    public func takeBack(_ note: String, lines: [Line]) async throws -> TransactionResult<Bool> {
        try Self.check(note, lines)
        return try await escrow.transaction(
            publishing: [GoodsReturned(note: note, lines: lines)], idempotencyKey: "\(note)", kind: "return"
        ) { tx in
            if try !OrderTable.hasCreditNote(tx.database, note) {
                try OrderTable.insertCreditNote(tx.database, note, lines: lines, now: tx.now)
            }
            return true
        }
    }

    /// Nil when it was never placed.
    public func state(of order: String) async throws -> OrderState? {
        try await database.read { try OrderTable.state($0, of: order) }
    }

    // MARK: What arrives

    private func handleStock() throws {
        let timeout = paymentTimeout
        try escrow.on(StockReserved.self, as: "stock") { event, tx in
            try tx.record(event, by: "stock")
            guard try OrderTable.move(tx.database, event.order, from: .placed, to: .reserved, now: tx.now) else {
                return .ignored("the order does not wait for stock")
            }
            try tx.arm(Self.paymentDeadline(of: event.order), after: timeout)
            changed(event.order, tx)
            return .done
        }
        try escrow.on(StockRejected.self, as: "stock") { event, tx in
            try tx.record(event, by: "stock")
            let isRejected = try OrderTable.move(
                tx.database, event.order, from: .placed, to: .rejected, reason: event.reason, now: tx.now)
            changed(event.order, tx)
            return isRejected ? .done : .ignored("the order does not wait for stock")
        }
    }

    /// A bank may be quicker than the inventory, which may be starting just now. The pauses grow with the time that has
    /// passed, because payments of other orders wait behind the notice; after five minutes it lets them pass.
    private static let noticeRetry = RetryPolicy(
        delays: [1, 1, 2, 2, 4, 4, 8, 8, 15, 15, 30, 30, 60, 60, 60].map { .seconds($0) })

    private func handlePayments() throws {
        try escrow.on(
            PaymentReceived.self, as: "payments", retry: Self.noticeRetry,
            before: { Self.paymentDeadline(of: $0.order) },
            onTime: { event, tx in try handle(event, tx) },
            onLate: { event, tx in try handle(event, tx) })
        try escrow.onDeadline("payment") { due, tx in
            try cancel(due.key, because: "not paid in time", tx) ? .done : .ignored("the order is decided")
        }
    }

    /// On time and late alike: the order's own state decides, because it may also have been cancelled by hand.
    ///
    /// - Throws: ``OrderError/Code/notReservedYet``: it is tried again.
    private func handle(_ event: PaymentReceived, _ tx: Transaction) throws -> Outcome {
        do {
            try tx.record(event, by: "payments")
            _ = try settle(event.payment, of: event.order, tx)
            return .done
        } catch let error as OrderError where error.code == .unknownOrder || error.code == .paymentTaken {
            // Undoes the cancelling of the order's deadline too.
            return .deadLetter(error.message)
        }
    }

    // MARK: Inside a transaction

    private func settle(_ payment: String, of order: String, _ tx: Transaction) throws -> PaymentVerdict {
        let (verdict, isNew) = try OrderTable.settle(tx.database, payment: payment, of: order, now: tx.now)
        guard isNew else { return verdict }
        switch verdict {
        case .accepted:
            try tx.publish(OrderPaid(order: order, payment: payment))
        case .refused:
            let state = try OrderTable.state(tx.database, of: order) ?? .cancelled
            let reason = OrderTable.refundReason(state)
            try tx.publish(RefundOrdered(order: order, payment: payment, reason: reason))
        }
        changed(order, tx)
        return verdict
    }

    private func cancel(_ order: String, because reason: String, _ tx: Transaction) throws -> Bool {
        var isCancelled = false
        for state in [OrderState.reserved, .placed] where !isCancelled {
            isCancelled = try OrderTable.move(
                tx.database, order, from: state, to: .cancelled, reason: reason, now: tx.now)
        }
        guard isCancelled else { return false }
        _ = try tx.cancel(Self.paymentDeadline(of: order))
        try tx.publish(OrderCancelled(order: order, reason: reason))
        changed(order, tx)
        return true
    }

    private func changed(_ order: String, _ tx: Transaction) {
        let onChange = onChange
        tx.database.afterNextTransaction { _ in onChange(order) }
    }

    private static func check(_ id: String, _ lines: [Line]) throws(OrderError) {
        let isNamed =
            (1...200).contains(id.utf8.count) && id.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7F }
        guard isNamed, !lines.isEmpty, lines.allSatisfy({ $0.quantity > 0 && !$0.code.isEmpty }) else {
            throw OrderError(
                .invalidOrder,
                "An order or credit note needs an id of 1 to 200 bytes without control characters, and lines of a "
                    + "stock code and a positive quantity each: \(id.prefix(40))")
        }
    }
}
