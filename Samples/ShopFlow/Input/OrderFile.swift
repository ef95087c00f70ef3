import Escrow
import Foundation
import MQProtocol
import NIOCore
import ShopEvents

/// What became of the lines of an input file.
public struct InputCounts: Sendable, Equatable {
    /// Rows behind the header; empty lines are none.
    public var lines = 0
    /// Part of an order or a return.
    public var used = 0
    /// Read, and no part of anything.
    public var skipped = 0
    public var malformed = 0
}

/// A line of the file that could not be read, or several for one reason.
public struct MalformedRow: Sendable, Equatable, CustomStringConvertible {
    /// From 1, the header included; the first of several.
    public var line: Int
    public var reason: String
    /// How many lines it stands for.
    public var count = 1

    public var description: String { "line \(line): \(reason)" }
}

/// Real orders, read from a CSV file with columns found by name; its format is described in ``OrderFile/columns``.
struct OrderFile {
    /// Of the columns of the data set *Online Retail*, those that matter here.
    static let columns = ["InvoiceNo", "StockCode", "Quantity"]

    /// All quantities together: so no sum of theirs overflows, with the stock there was before.
    static let mostUnits: Int64 = 1 << 62
    static let longestName = 200
    /// Malformed rows that are described; the others are only counted, as a file of nothing else has no end of them.
    static let describedRows = 10_000

    var counts = InputCounts()
    var malformedRows: [MalformedRow] = []
    /// In the order of their first lines.
    private(set) var invoices: [Invoice] = []

    /// The lines of one invoice that are used, wherever they stand in the file.
    struct Invoice {
        var number: String
        /// Of the file, its first.
        var line: Int
        var lines: [Line] = []
        /// All lines so far: the position of the next one.
        var seen = 0

        /// Invoices that begin so take back what an earlier one sold.
        var isReturn: Bool { number.utf8.first == UInt8(ascii: "C") }
    }

    private var reader = CSVReader()
    private var places: [ExactText: Int] = [:]
    private var indexes: [Int] = []
    /// One copy of each code.
    private var codes: [ExactText: String] = [:]
    private var units: Int64 = 0
    /// Of the file, until its first line was read.
    private var beginning: [UInt8] = []
    private static let beginningBytes = 4096

    /// - Throws: ``FlowError/Code/unusableFile`` when there is no such file, or it is no such CSV.
    static func read(_ path: String) throws(FlowError) -> OrderFile {
        do {
            var file = OrderFile()
            try file.readAll(path)
            return file
        } catch let error as FlowError {
            throw error
        } catch let error as RecordError {
            throw FlowError(.unusableFile, "\(path) is a damaged gzip file: \(error.message).")
        } catch {
            throw FlowError(.unusableFile, "\(path) cannot be read: \(error.localizedDescription)")
        }
    }

    private mutating func readAll(_ path: String) throws {
        var pieces = try FilePieces(path)
        while let piece = try pieces.next() {
            if indexes.isEmpty { beginning += piece.readableBytesView.prefix(Self.beginningBytes - beginning.count) }
            reader.push(piece.readableBytesView)
            try readRows(path)
        }
        reader.isComplete = true
        try readRows(path)
        guard !indexes.isEmpty else { throw FlowError(.unusableFile, "\(path) is empty: no header line.") }
        for index in invoices.indices { try rejectTooLarge(index) }
    }

    private mutating func readRows(_ path: String) throws(FlowError) {
        while true {
            switch reader.next() {
            case .needsMore, .end: return
            case .row where indexes.isEmpty: try readHeader(path)
            case .row:
                counts.lines += 1
                readRow()
            case .malformed(let reason):
                guard !indexes.isEmpty else { throw refusal(path, "its first line is \(reason).") }
                counts.lines += 1
                reject(reason)
            }
        }
    }

    private mutating func readHeader(_ path: String) throws(FlowError) {
        let names = reader.fields.map { Self.trimmed(reader.value($0)) }
        let found = Self.columns.map { column in names.firstIndex { $0.elementsEqual(column.utf8) } }
        let missing = zip(Self.columns, found).filter { $0.1 == nil }.map(\.0)
        guard missing.isEmpty else {
            let isBinary = names.joined().contains { $0 < 0x20 && $0 != 0x09 }
            if isBinary { throw FlowError(.unusableFile, "\(path) is no CSV of orders but binary data.") }
            throw refusal(path, "its first line has no column \(missing.joined(separator: ", ")).")
        }
        let doubled = Self.columns.filter { column in names.count(where: { $0.elementsEqual(column.utf8) }) > 1 }
        guard doubled.isEmpty else {
            throw refusal(path, "its first line names twice: \(doubled.joined(separator: ", ")).")
        }
        indexes = found.compactMap(\.self)
        beginning = []
        reader.columns = names.count
    }

    private func refusal(_ path: String, _ reason: String) -> FlowError {
        let reason =
            Separator.inUse(in: beginning, naming: Self.columns).map {
                "its columns are separated by \($0.rawValue): commas are needed."
            } ?? reason
        return FlowError(.unusableFile, "\(path) is no CSV of orders: \(reason)")
    }

    /// Without blanks and tabs around it.
    private static func trimmed(_ name: [UInt8]) -> [UInt8] {
        func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }
        var rest = name.drop(while: isBlank)
        while let last = rest.last, isBlank(last) { rest.removeLast() }
        return Array(rest)
    }

    // MARK: Rows

    private mutating func readRow() {
        guard let number = text(0) else { return reject("InvoiceNo is empty, too long or not readable") }
        guard let code = text(1) else { return reject("StockCode is empty, too long or not readable") }
        let digits = reader.value(reader.fields[indexes[2]])
        guard let quantity = Self.quantity(digits) else {
            return reject(
                "Quantity is no whole number of 64 bits: \"\(String(decoding: digits.prefix(40), as: UTF8.self))\"")
        }
        add(ExactText(number), ExactText(code), quantity)
    }

    private mutating func add(_ number: ExactText, _ code: ExactText, _ quantity: Int64) {
        let place = places[number] ?? invoices.count
        if place == invoices.count {
            places[number] = place
            invoices.append(Invoice(number: number.text, line: reader.line))
        }
        invoices[place].seen += 1
        let isUsed = invoices[place].isReturn ? quantity < 0 : quantity > 0
        guard isUsed else {
            counts.skipped += 1
            return
        }
        guard quantity.magnitude <= (Self.mostUnits - units).magnitude else {
            return reject("Quantity \(quantity) is too large: all together may be \(Self.mostUnits)")
        }
        counts.used += 1
        units += Int64(quantity.magnitude)
        let known = codes[code] ?? code.text
        codes[code] = known
        invoices[place].lines.append(
            Line(position: invoices[place].seen, code: known, quantity: Int64(quantity.magnitude)))
    }

    /// What no message can carry is no order: all its lines are left out, and the rest goes on.
    private mutating func rejectTooLarge(_ index: Int) throws {
        let invoice = invoices[index]
        guard let bytes = try invoice.bytesTooMany() else { return }
        let count = invoice.lines.count
        counts.used -= count
        counts.malformed += count
        malformedRows.append(
            MalformedRow(
                line: invoice.line,
                reason: "invoice \(invoice.number) has \(count) lines of \(bytes) bytes together, more than one "
                    + "message may have (\(OrderPlaced.maximumBytes)): all of them are left out",
                count: count))
        invoices[index].lines = []
    }

    private mutating func reject(_ reason: String) {
        counts.malformed += 1
        if malformedRows.count < Self.describedRows {
            malformedRows.append(MalformedRow(line: reader.line, reason: reason))
        }
    }

    /// Nil for what cannot name anything: empty, too long, no UTF-8, or with control characters.
    private func text(_ column: Int) -> String? {
        let bytes = reader.value(reader.fields[indexes[column]])
        guard (1...Self.longestName).contains(bytes.count), bytes.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }) else {
            return nil
        }
        return String(validating: bytes, as: UTF8.self)
    }

    /// An optional sign and digits, nothing else.
    static func quantity(_ bytes: [UInt8]) -> Int64? {
        let isSigned = bytes.first == UInt8(ascii: "-") || bytes.first == UInt8(ascii: "+")
        let digits = isSigned ? bytes.dropFirst() : bytes[...]
        guard !digits.isEmpty, digits.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        return Int64(String(decoding: bytes, as: UTF8.self))
    }
}

extension OrderFile.Invoice {
    /// The bytes of its message, when they are more than one may have.
    func bytesTooMany() throws -> Int? {
        // Brackets, commas and two numbers; each byte of a code is six at most.
        let most = lines.reduce(6 * number.utf8.count + 64) { $0 + 48 + 6 * $1.code.utf8.count }
        guard most > OrderPlaced.maximumBytes else { return nil }
        let bytes =
            isReturn
            ? try GoodsReturned(note: number, lines: lines).encodedBytes()
            : try OrderPlaced(order: number, lines: lines).encodedBytes()
        return bytes > OrderPlaced.maximumBytes ? bytes : nil
    }
}

/// Text that is the same only when its bytes are; `String` compares by meaning.
struct ExactText: Hashable {
    let text: String

    init(_ text: String) {
        self.text = text
    }

    static func == (lhs: ExactText, rhs: ExactText) -> Bool {
        lhs.text.utf8.elementsEqual(rhs.text.utf8)
    }

    func hash(into hasher: inout Hasher) {
        for byte in text.utf8 { hasher.combine(byte) }
        hasher.combine(UInt8(0xFF))
    }
}
