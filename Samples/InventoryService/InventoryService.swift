public import Escrow
public import GRDB
public import ServiceLifecycle
public import ShopEvents

/// Keeps the stock: reserves what orders need, hands it out when they are paid, and puts it back when they are not.
///
/// Each order's stock is reserved as a whole or not at all, and confirmed or released once, in whatever order the
/// messages arrive and however often.
public struct InventoryService: Service {
    /// Of the service, in the names of its groups.
    public static let name = "inventory"

    public static let subscriptions: Set<Subscription> = [
        Subscription("warehouse", OrderPlaced.topic, [OrderPlaced.name, OrderPaid.name, OrderCancelled.name]),
        Subscription("warehouse", GoodsReturned.topic, [GoodsReturned.name]),
    ]

    public let escrow: Escrow
    private let database: any DatabaseWriter

    public init(_ database: any DatabaseWriter, configuration: EscrowConfiguration) throws {
        escrow = try Escrow(Self.name, database: database, configuration: configuration)
        self.database = database
        try handleOrders()
        try handleReturns()
    }

    public func run() async throws {
        try await escrow.run()
    }

    /// Puts a code on the shelf that is not there yet.
    ///
    /// - Parameter quantity: not negative.
    public func stock(_ code: String, quantity: Int64) async throws {
        try await database.write { try StockTable.open($0, code, quantity: quantity) }
    }

    /// Units of a code that can still be reserved; nil when it was never stocked.
    public func available(_ code: String) async throws -> Int64? {
        try await database.read { try Self.available(code, in: $0) }
    }

    /// Puts codes on the shelf that are not there yet.
    ///
    /// - Parameter quantity: of each; not negative.
    public static func stock(_ codes: some Sequence<String>, quantity: Int64, in db: Database) throws {
        for code in codes { try StockTable.open(db, code, quantity: quantity) }
    }

    /// Units of a code that can still be reserved; nil when it was never stocked.
    public static func available(_ code: String, in db: Database) throws -> Int64? {
        try Int64.fetchOne(
            db.cachedStatement(sql: "SELECT on_hand - reserved FROM stock WHERE code = ?"), arguments: [code])
    }

    private func handleOrders() throws {
        try escrow.on(OrderPlaced.self, as: "warehouse") { event, tx in
            try tx.record(event, by: "warehouse")
            switch try HoldingTable.reserve(tx.database, event.order, lines: event.lines, now: tx.now) {
            case .reserved:
                try tx.publish(StockReserved(order: event.order))
            case .refused(let reason):
                try tx.publish(StockRejected(order: event.order, reason: reason))
            case .repeated:
                return .ignored("the order was answered before")
            }
            return .done
        }
        try escrow.on(OrderPaid.self, as: "warehouse") { event, tx in
            try tx.record(event, by: "warehouse")
            return Self.outcome(try HoldingTable.confirm(tx.database, event.order, now: tx.now))
        }
        try escrow.on(OrderCancelled.self, as: "warehouse") { event, tx in
            try tx.record(event, by: "warehouse")
            return Self.outcome(try HoldingTable.release(tx.database, event.order, now: tx.now))
        }
    }

    private func handleReturns() throws {
        try escrow.on(GoodsReturned.self, as: "warehouse") { event, tx in
            try tx.record(event, by: "warehouse")
            let isNew = try StockTable.takeBack(tx.database, note: event.note, lines: event.lines)
            return isNew ? .done : .ignored("the goods of the note came back before")
        }
    }

    private static func outcome(_ ending: HoldingTable.Ending) -> Outcome {
        switch ending {
        case .ended: .done
        case .overtook: .ignored("the order's stock was not asked for yet, and will be refused")
        case .tooLate: .ignored("nothing is reserved for the order")
        }
    }
}
