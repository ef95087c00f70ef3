import MQProtocol
import TestSupport

@testable import ShopFlow

/// What the flow has to come to, computed from the rows of a file alone.
struct Expected: Equatable {
    var orders: Int64 = 0
    var paid: Int64 = 0
    var cancelled: Int64 = 0
    var returns: Int64 = 0
    var unitsSold: Int64 = 0
    var unitsReturned: Int64 = 0
    var skipped: Int64 = 0
    var malformed: Int64 = 0

    init() {}

    init(_ totals: Totals) {
        orders = totals.orders
        paid = totals.paid
        cancelled = totals.cancelled
        returns = totals.returns
        unitsSold = totals.unitsSold
        unitsReturned = totals.unitsReturned
        skipped = totals.skippedLines
        malformed = totals.malformedRows
    }
}

/// A file of invoices with everything that real ones have, and what has to become of it.
struct OrderCSV {
    /// Percent of the orders that are not paid.
    static let unpaid = 20
    private static let header = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n"

    let path: String
    private(set) var expected = Expected()

    init(invoices: Int, in folder: TemporaryFolder) throws {
        var random = SeededGenerator()
        var rows: [String] = []
        for number in 0..<invoices {
            let isReturn = number % 10 == 9
            let invoice = (isReturn ? "C" : "") + String(570_000 + number)
            let quantities = (0..<Int.random(in: 1...6, using: &random)).map { _ in
                Int64.random(in: -2...12, using: &random)
            }
            for quantity in quantities {
                let code = 20_000 + Int.random(in: 0..<30, using: &random)
                rows.append("\(invoice),\(code),\"A, B\",\(quantity),d,1,,UK\n")
            }
            expected.add(invoice, quantities, isReturn: isReturn)
        }
        rows += ["broken\n", "570000,20001,x,many,d,1,,UK\n"]
        expected.malformed = 2
        rows.shuffle(using: &random)
        path = try folder.write(Self.header + rows.joined(), to: "orders.csv")
    }
}

extension Expected {
    fileprivate mutating func add(_ invoice: String, _ quantities: [Int64], isReturn: Bool) {
        let used = quantities.filter { isReturn ? $0 < 0 : $0 > 0 }
        skipped += Int64(quantities.count - used.count)
        guard !used.isEmpty else { return }
        let units = used.map(\.magnitude).reduce(0) { $0 + Int64($1) }
        let name = Array(invoice.utf8)
        if isReturn {
            returns += 1
            unitsReturned += units
            return
        }
        orders += 1
        if crc32(name.span) % 100 < OrderCSV.unpaid {
            cancelled += 1
        } else {
            paid += 1
            unitsSold += units
        }
    }
}
