/// Reads rows of comma-separated values (RFC 4180) from bytes that come in pieces.
///
/// Rows end with LF, CRLF or CR, also mixed; a quoted field may contain commas, doubled quotes and line breaks. A quote
/// inside a field that does not begin with one stands for itself, as spreadsheets write it.
///
/// A row that breaks the rules of quoting costs one line: reading goes on at the next line break, so that a quote that
/// is never closed does not swallow the rest of the file. A row with too many or too few fields costs itself. Empty
/// lines are no rows.
struct CSVReader {
    enum Step: Equatable {
        /// ``fields`` are those of a row.
        case row
        /// A line that is no row, and why.
        case malformed(String)
        /// The bytes so far end inside a row: push more, or set ``isComplete``.
        case needsMore
        case end
    }

    struct Field: Equatable {
        var start: Int
        var end: Int
        var hasDoubledQuotes: Bool
    }

    /// A row is at most so long. What is longer has lost a quote.
    static let maximumRowBytes = 65_536

    /// No more bytes will come.
    var isComplete = false
    /// Rows have as many fields as this; nil for any number, and then an empty line is a row of one empty field.
    var columns: Int?
    /// Where the row or the malformed line of the last step began, from 1.
    private(set) var line = 0
    /// Of the last row. Valid until the next call.
    private(set) var fields: [Field] = []

    private var bytes: [UInt8] = []
    private var position = 0
    private var nextLine = 1
    private var isAtStart = true
    /// The rest of a malformed line that has not come yet.
    private var isSkipping = false

    private static let quote = UInt8(ascii: "\"")
    private static let comma = UInt8(ascii: ",")
    private static let lineFeed = UInt8(ascii: "\n")
    private static let carriageReturn = UInt8(ascii: "\r")

    mutating func push(_ new: some Sequence<UInt8>) {
        bytes.removeFirst(position)
        position = 0
        bytes.append(contentsOf: new)
    }

    /// The bytes of a field, quotes removed.
    func value(_ field: Field) -> [UInt8] {
        guard field.hasDoubledQuotes else { return Array(bytes[field.start..<field.end]) }
        var value: [UInt8] = []
        var index = field.start
        while index < field.end {
            value.append(bytes[index])
            index += bytes[index] == Self.quote ? 2 : 1
        }
        return value
    }

    mutating func next() -> Step {
        while true {
            if let step = step() { return step }
        }
    }

    /// Nil for an empty line.
    private mutating func step() -> Step? {
        if isSkipping, !skipLine() { return isComplete ? .end : .needsMore }
        if isAtStart {
            guard bytes.count >= 3 || isComplete else { return .needsMore }
            if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { position = 3 }
            isAtStart = false
        }
        guard position < bytes.count else { return isComplete ? .end : .needsMore }
        line = nextLine
        fields.removeAll(keepingCapacity: true)
        switch scanRow() {
        case .ended(let end, let breaks):
            let isEmpty = fields.count == 1 && bytes[position..<end].allSatisfy(isBreak)
            position = end
            nextLine += max(breaks, 1)
            guard let columns, fields.count != columns else { return .row }
            if isEmpty { return nil }
            return .malformed("\(fields.count) field\(fields.count == 1 ? "" : "s") instead of \(columns)")
        case .broken(let reason): return malformed(reason)
        case .open: return .needsMore
        }
    }

    // MARK: Scanning

    private enum Scan {
        /// The row ends before `end`, after so many line breaks, its own included.
        case ended(Int, breaks: Int)
        case broken(String)
        /// It may go on behind the bytes that are there.
        case open
    }

    private mutating func scanRow() -> Scan {
        var index = position
        var breaks = 0
        while true {
            let field: FieldScan =
                index < bytes.count && bytes[index] == Self.quote ? scanQuoted(index, &breaks) : scanPlain(index)
            switch field {
            case .broken(let reason): return .broken(reason)
            case .open: return .open
            case .ended(let found, let next):
                fields.append(found)
                guard next < bytes.count else { return .ended(next, breaks: breaks) }
                index = next + 1
                if bytes[next] == Self.comma { continue }
                return .ended(index, breaks: breaks + 1)
            }
        }
    }

    private enum FieldScan {
        /// What stands behind the field: a comma, the last byte of a line's end, or the end of everything.
        case ended(Field, next: Int)
        case broken(String)
        case open
    }

    private func scanPlain(_ start: Int) -> FieldScan {
        var index = start
        while index < bytes.count, bytes[index] != Self.comma, !isBreak(bytes[index]) { index += 1 }
        // Also of a field whose end is there: what a row is does not depend on the pieces in which its bytes come.
        guard index - position <= Self.maximumRowBytes else { return .broken(Self.tooLong) }
        guard let next = stop(index) else { return .open }
        return .ended(Field(start: start, end: index, hasDoubledQuotes: false), next: next)
    }

    private func isBreak(_ byte: UInt8) -> Bool {
        byte == Self.lineFeed || byte == Self.carriageReturn
    }

    /// The last byte of the line's end, the comma or the end of everything at `index`; nil when more bytes decide.
    private func stop(_ index: Int) -> Int? {
        guard index < bytes.count else { return isComplete ? index : nil }
        guard bytes[index] == Self.carriageReturn else { return index }
        guard index + 1 < bytes.count else { return isComplete ? index : nil }
        return bytes[index + 1] == Self.lineFeed ? index + 1 : index
    }

    private func scanQuoted(_ start: Int, _ breaks: inout Int) -> FieldScan {
        var index = start + 1
        var hasDoubledQuotes = false
        while index < bytes.count {
            let byte = bytes[index]
            if isBreak(byte), stop(index) == index { breaks += 1 }
            if byte == Self.quote {
                guard index + 1 < bytes.count, bytes[index + 1] == Self.quote else { break }
                hasDoubledQuotes = true
                index += 1
            }
            index += 1
            if index - position > Self.maximumRowBytes { return .broken("a quote that is not closed") }
        }
        guard index < bytes.count else { return isComplete ? .broken("a quote that is not closed") : .open }
        let field = Field(start: start + 1, end: index, hasDoubledQuotes: hasDoubledQuotes)
        return behindQuote(index + 1, field)
    }

    private func behindQuote(_ index: Int, _ field: Field) -> FieldScan {
        guard let next = stop(index) else { return .open }
        guard next == bytes.count || bytes[next] == Self.comma || isBreak(bytes[next]) else {
            return .broken("text behind a closing quote")
        }
        return .ended(field, next: next)
    }

    private static let tooLong = "a line of more than \(maximumRowBytes) bytes"

    // MARK: Malformed lines

    private mutating func malformed(_ reason: String) -> Step {
        fields.removeAll(keepingCapacity: true)
        isSkipping = true
        _ = skipLine()
        return .malformed(reason)
    }

    /// - Returns: whether the line's end was there.
    private mutating func skipLine() -> Bool {
        while position < bytes.count, !isBreak(bytes[position]) { position += 1 }
        guard position < bytes.count, let end = stop(position) else { return false }
        position = end + 1
        nextLine += 1
        isSkipping = false
        return true
    }
}
