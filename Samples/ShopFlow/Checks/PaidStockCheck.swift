import GRDB

/// An order as each of the two services sees it.
struct OrderSide: Sendable, Equatable {
    var state: String
    var lines: Int64
    var units: Int64
}

extension Checks {
    /// Orders and inventory: what is paid has left the warehouse, all of it, and nothing else has.
    static func paidOrdersAreConfirmed(orders: Database, inventory: Database) throws -> CheckResult {
        let (shop, warehouse) = (try shopSides(orders), try warehouseSides(inventory))
        var failing: [String] = []
        for (order, side) in shop where !agree(side, warehouse[order]) { failing.append(order.text) }
        // What left for an order that the shop does not know, left for nobody.
        for (order, side) in warehouse where shop[order] == nil && side.state == "confirmed" {
            failing.append(order.text)
        }
        let sold = shop.values.filter { $0.state == "paid" }.map(\.units).reduce(0, +)
        let gone = warehouse.values.filter { $0.state == "confirmed" }.map(\.units).reduce(0, +)
        return CheckResult(
            "what is paid has left the warehouse, and nothing else",
            "\(grouped(sold)) units paid = \(grouped(gone)) units confirmed", failing: failing.sorted())
    }

    private static func agree(_ shop: OrderSide, _ warehouse: OrderSide?) -> Bool {
        switch (shop.state, warehouse?.state) {
        case ("paid", "confirmed"): shop.lines == warehouse?.lines && shop.units == warehouse?.units
        case ("cancelled", "released"), ("cancelled", "overtaken"), ("rejected", "refused"): true
        // Cancelled by hand while the warehouse refused it.
        case ("cancelled", "refused"): true
        default: false
        }
    }

    private static func shopSides(_ db: Database) throws -> [ExactText: OrderSide] {
        var sides: [ExactText: OrderSide] = [:]
        let rows = try Row.fetchCursor(db, sql: "SELECT id, state, lines, units FROM shop_order")
        while let row = try rows.next() {
            sides[ExactText(row[0])] = OrderSide(state: row[1], lines: row[2], units: row[3])
        }
        return sides
    }

    private static func warehouseSides(_ db: Database) throws -> [ExactText: OrderSide] {
        var sides: [ExactText: OrderSide] = [:]
        let rows = try Row.fetchCursor(
            db,
            sql: """
                SELECT holding.order_id, holding.state, count(reservation.position),
                    coalesce(sum(reservation.quantity), 0)
                FROM holding LEFT JOIN reservation
                    ON reservation.order_id = holding.order_id AND reservation.state = holding.state
                GROUP BY holding.order_id
                """)
        while let row = try rows.next() {
            sides[ExactText(row[0])] = OrderSide(state: row[1], lines: row[2], units: row[3])
        }
        return sides
    }
}
