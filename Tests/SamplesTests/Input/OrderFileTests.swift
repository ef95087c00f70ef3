import Foundation
import ShopEvents
import Testing

@testable import ShopFlow

@Suite struct OrderFileTests {
    private let folder: TemporaryFolder
    private static let header = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n"

    init() throws {
        folder = try TemporaryFolder()
    }

    private func row(_ invoice: String, _ code: String, _ quantity: String) -> String {
        "\(invoice),\(code),THING,\(quantity),2011-11-01 08:16:00,2.1,17733.0,United Kingdom\n"
    }

    private func read(_ rows: String...) throws -> OrderFile {
        try OrderFile.read(try folder.write(Self.header + rows.joined(), to: "orders.csv"))
    }

    private func refusal(_ path: String) -> FlowError? {
        do throws(FlowError) {
            _ = try OrderFile.read(path)
            return nil
        } catch {
            return error
        }
    }

    @Test func everyLineIsUsedSkippedOrMalformed() throws {
        let file = try read(
            row("1", "A", "2"), row("1", "A", "2"), row("1", "B", "-3"), row("1", "B", "0"), row("C2", "A", "-1"),
            row("C2", "A", "1"), row("3", "A", "-1"), row("", "A", "1"), row("4", "", "1"), row("4", "A", "x"),
            row("4", "A", "1.5"), row("4", "A", "99999999999999999999"), "short\n", row("1", "C", "+4"))
        #expect(file.counts == InputCounts(lines: 14, used: 4, skipped: 4, malformed: 6))
        #expect(file.malformedRows.map(\.line) == [9, 10, 11, 12, 13, 14])
        #expect(file.invoices.map(\.number) == ["1", "C2", "3"])
        #expect(file.invoices.map(\.lines.count) == [3, 1, 0])
    }

    /// Exact duplicates are lines of their own, and an invoice goes on after another one.
    @Test func aLineIsKnownByItsPosition() throws {
        let file = try read(row("1", "A", "2"), row("2", "A", "1"), row("1", "A", "-9"), row("1", "A", "2"))
        #expect(file.invoices[0].lines.map(\.position) == [1, 3])
        #expect(file.invoices[0].lines.map(\.quantity) == [2, 2])
        #expect(file.invoices[1].lines.map(\.position) == [1])
    }

    /// Two spellings of one letter, which Swift takes for the same text.
    @Test func codesCompareByteForByte() throws {
        let file = try read(row("1", "caf\u{E9}", "1"), row("1", "cafe\u{301}", "1"))
        let workload = Workload.replay(file, WorkloadSettings(.file("x")))
        #expect(workload.shelves.count == 2)
        #expect(workload.shelves.map { Array($0.code.utf8).count } == [5, 6])
    }

    @Test func columnsAreFoundByName() throws {
        let path = try folder.write("\u{FEFF}Quantity,X,StockCode,InvoiceNo\r\n5,,A,1\r\n", to: "other.csv")
        let file = try OrderFile.read(path)
        #expect(file.invoices.map(\.number) == ["1"])
        #expect(file.invoices[0].lines.map(\.quantity) == [5])
    }

    @Test func namesOfColumnsMayHaveBlanksAroundThem() throws {
        let path = try folder.write("InvoiceNo, StockCode ,\tQuantity\r1,A,5\r", to: "blanks.csv")
        #expect(try OrderFile.read(path).counts == InputCounts(lines: 1, used: 1))
    }

    @Test func aColumnThatIsThereTwiceIsRefused() throws {
        let path = try folder.write("InvoiceNo,StockCode,Quantity,Quantity\n1,A,5,6\n", to: "twice.csv")
        let refusal = refusal(path)
        #expect(refusal?.code == .unusableFile)
        #expect(refusal?.message.contains("names twice: Quantity") == true)
    }

    @Test func readsGzip() throws {
        // "InvoiceNo,StockCode,Quantity\n1,A,2\n", by gzip -9n.
        let packed =
            "H4sIAAAAAAACA/PMK8vPTE71y9cJLslPznbOT0nVCSxNzCvJLKnkMtRx1DHiAgCAmGcQIwAAAA=="
        let path = folder.path("orders.csv.gz")
        try #require(Data(base64Encoded: packed)).write(to: URL(filePath: path))
        let file = try OrderFile.read(path)
        #expect(file.counts == InputCounts(lines: 1, used: 1))
    }

    /// Wherever in the file it stands, and so wherever a piece of the file ends in it.
    @Test func aRowThatIsTooLongIsMalformedWhereverItStands() throws {
        let long = "1,A,\(String(repeating: "x", count: 100_000)),1,d,1,,UK\n"
        for place in [0, 20_000, 30_900, 31_000, 31_100, 45_000, 65_000] {
            let before = "2,B,\(String(repeating: "y", count: place)),1,d,1,,UK\n"
            let text = Self.header + before + long + row("3", "A", "1")
            let plain = try OrderFile.read(try folder.write(text, to: "long.csv"))
            #expect(plain.counts == InputCounts(lines: 3, used: 2, malformed: 1), "at \(place)")
            let packed = folder.path("long.csv.gz")
            try Gzip.stored(Array(text.utf8)).write(to: URL(filePath: packed))
            let inflated = try OrderFile.read(packed)
            #expect(inflated.counts == plain.counts, "at \(place)")
            #expect(inflated.malformedRows == plain.malformedRows, "at \(place)")
        }
    }

    /// As Excel and others save it where the comma is the decimal sign.
    @Test(arguments: [(";", "semicolons"), ("\t", "tabs"), ("|", "vertical bars")])
    func anotherSeparatorIsNamed(_ separator: String, _ name: String) throws {
        for quote in ["", "\""] {
            let columns = OrderFile.columns.map { quote + $0 + quote } + ["Country"]
            let text = "\u{FEFF}" + columns.joined(separator: separator) + "\r\n1\(separator)A\(separator)2\r\n"
            let refusal = refusal(try folder.write(text, to: "other.csv"))
            #expect(refusal?.code == .unusableFile)
            #expect(refusal?.message.contains("separated by \(name)") == true, "\(refusal?.message ?? "")")
        }
    }

    @Test func whatIsNoSuchFileIsRefused() throws {
        #expect(refusal(folder.path("missing.csv"))?.code == .unusableFile)
        let directory = refusal(folder.url.path(percentEncoded: false))
        #expect(directory?.code == .unusableFile)
        #expect(directory?.message.contains("is a directory: name a CSV file") == true)
        #expect(refusal(try folder.write("", to: "empty.csv"))?.message.contains("empty") == true)
        #expect(refusal(try folder.write("a,b,c\n1,2,3\n", to: "a.csv"))?.message.contains("Quantity") == true)
        #expect(refusal(try folder.write("\u{0}\u{1}\u{2}\n", to: "b.csv"))?.message.contains("binary") == true)
        let damaged = folder.path("c.gz")
        try Data([0x1F, 0x8B, 8, 0, 1, 2, 3]).write(to: URL(filePath: damaged))
        #expect(refusal(damaged)?.message.contains("gzip") == true)
    }

    /// Nobody could place it, and the rest of the file is not to wait for it.
    @Test func anInvoiceThatNoMessageCarriesIsMalformed() throws {
        let code = String(repeating: "x", count: 200)
        let large = (0..<21_000).map { _ in row("2", code, "1") } + [row("2", code, "0")]
        let file = try OrderFile.read(
            try folder.write(
                Self.header + row("1", "A", "1") + large.joined() + row("C3", "A", "-1"), to: "large.csv"))
        #expect(file.counts == InputCounts(lines: 21_003, used: 2, skipped: 1, malformed: 21_000))
        #expect(file.malformedRows.map(\.line) == [3])
        #expect(file.malformedRows.map(\.count) == [21_000])
        #expect(file.malformedRows.first?.reason.contains("invoice 2 has 21000 lines") == true)
        let workload = Workload.replay(file, WorkloadSettings(.file("x")))
        #expect(workload.orders.map(\.id) == ["1"])
        #expect(workload.returns.map(\.id) == ["C3"])
        #expect(workload.shelves.map(\.code) == ["A"])
    }

    @Test func quantitiesAreWholeNumbersWithinReason() {
        func quantity(_ text: String) -> Int64? { OrderFile.quantity(Array(text.utf8)) }
        #expect(quantity("12") == 12)
        #expect(quantity("-80995") == -80995)
        #expect(quantity("+1") == 1)
        #expect(quantity("9223372036854775807") == .max)
        #expect(quantity("-9223372036854775808") == .min)
        for text in ["", "-", "+", " 1", "1 ", "1e3", "0x1", "9223372036854775808", "--1", "+-1", "१"] {
            #expect(quantity(text) == nil, "\(text)")
        }
    }

    /// Sums of what is used are sums of 64 bits, here and in the databases.
    @Test func quantitiesTogetherStayWithinTheirSums() throws {
        let half = "\(OrderFile.mostUnits / 2)"
        let file = try read(
            row("1", "A", half), row("C2", "A", "-\(half)"), row("3", "A", "1"), row("4", "A", "\(Int64.max)"),
            row("5", "A", "\(Int64.min)"))
        #expect(file.counts == InputCounts(lines: 5, used: 2, skipped: 1, malformed: 2))
        #expect(file.malformedRows.map(\.line) == [4, 5])
    }

    @Test func everyMalformedRowIsDescribed() throws {
        let file = try read(String(repeating: "short\n", count: 500), row("1", "A", "1"))
        #expect(file.malformedRows.map(\.line) == Array(2...501))
    }

    @Test func anInvoiceOfEveryFlavourIsAnOrderOrNot() throws {
        let file = try read(row("C1", "A", "5"), row("c2", "A", "1"), row("A3", "A", "1"), row("4", "A", "-1"))
        let workload = Workload.replay(file, WorkloadSettings(.file("x")))
        #expect(workload.orders.map(\.id) == ["c2", "A3"])
        #expect(workload.returns.isEmpty)
        #expect(workload.input.skipped == 2)
    }
}
