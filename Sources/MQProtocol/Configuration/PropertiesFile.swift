/// The text of a Java `.properties` file, as RocketMQ's servers read their configuration.
///
/// Follows `java.util.Properties`, with two deliberate differences that are reported in ``warnings``: spaces at the end
/// of a value are dropped (no value needs them, and a number with one is silently ignored by stock servers), and where
/// several lines set one key the last wins, as in Java, but not silently.
public struct PropertiesFile: Sendable, Equatable {
    public struct Entry: Sendable, Equatable {
        public var key: String
        public var value: String
        /// Where the entry begins, from 1; 0 for an entry that was set by a program.
        public var line: Int
    }

    /// Something a person probably did not mean.
    public struct Warning: Sendable, Equatable, CustomStringConvertible {
        public var line: Int
        public var message: String

        public var description: String { "line \(line): \(message)" }
    }

    /// One entry per key, in the order in which the keys first appear.
    public private(set) var entries: [Entry] = []
    public private(set) var warnings: [Warning] = []
    private var positions: [String: Int] = [:]

    public init() {}

    /// Accepts any text.
    public init(parsing text: String) {
        for line in LogicalLine.all(of: text) {
            var parser = EntryParser(line)
            let entry = parser.parse()
            warnings += parser.warnings
            if let earlier = positions[entry.key] {
                let message = "\(entry.key) is set on line \(entries[earlier].line) too; this line wins"
                warnings.append(Warning(line: entry.line, message: message))
            }
            insert(entry)
        }
    }

    /// Reads the bytes of a file: as UTF-8, and what is not UTF-8 as Latin-1, as Java does, so that a comment in
    /// another encoding does no harm.
    public init(parsing bytes: some Collection<UInt8>) {
        let text = String(validating: bytes, as: UTF8.self)
        self.init(parsing: text ?? String(String.UnicodeScalarView(bytes.lazy.map { UnicodeScalar($0) })))
    }

    public subscript(key: String) -> String? {
        get { positions[key].map { entries[$0].value } }
        set {
            if let newValue {
                insert(Entry(key: key, value: newValue, line: 0))
            } else if let position = positions.removeValue(forKey: key) {
                entries.remove(at: position)
                positions = Dictionary(uniqueKeysWithValues: entries.indices.map { (entries[$0].key, $0) })
            }
        }
    }

    /// The text that reads back as these entries.
    public var text: String {
        entries.map { Self.escaped($0.key, isKey: true) + "=" + Self.escaped($0.value, isKey: false) + "\n" }.joined()
    }

    private mutating func insert(_ entry: Entry) {
        if let position = positions[entry.key] {
            entries[position] = entry
        } else {
            positions[entry.key] = entries.count
            entries.append(entry)
        }
    }

    private static func escaped(_ text: String, isKey: Bool) -> String {
        var result = ""
        for (index, scalar) in text.unicodeScalars.enumerated() {
            switch scalar {
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            case "\u{0C}": result += "\\f"
            case " " where isKey || index == 0 || index == text.unicodeScalars.count - 1: result += "\\ "
            case "=", ":": result += isKey ? "\\\(scalar)" : "\(scalar)"
            case "#", "!": result += isKey && index == 0 ? "\\\(scalar)" : "\(scalar)"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}

/// A line with its continuations joined; never blank, never a comment.
private struct LogicalLine {
    var number: Int
    var scalars: [Unicode.Scalar]

    static func all(of text: String) -> [LogicalLine] {
        var result: [LogicalLine] = []
        var open: LogicalLine?
        for (index, natural) in naturalLines(of: text).enumerated() {
            let content = natural.drop(while: isBlank)
            if open == nil, content.isEmpty || content.first == "#" || content.first == "!" {
                continue
            }
            var line = open ?? LogicalLine(number: index + 1, scalars: [])
            let isContinued = content.reversed().prefix { $0 == "\\" }.count % 2 == 1
            line.scalars += isContinued ? content.dropLast() : content
            if isContinued {
                open = line
            } else {
                result.append(line)
                open = nil
            }
        }
        if let open, !open.scalars.isEmpty {
            result.append(open)
        }
        return result.filter { !$0.scalars.isEmpty }
    }

    static func isBlank(_ scalar: Unicode.Scalar) -> Bool {
        scalar == " " || scalar == "\t" || scalar == "\u{0C}"
    }

    private static func naturalLines(of text: String) -> [ArraySlice<Unicode.Scalar>] {
        var scalars: [Unicode.Scalar] = []
        var wasReturn = false
        for scalar in text.unicodeScalars {
            if !(wasReturn && scalar == "\n") {
                scalars.append(scalar == "\r" ? "\n" : scalar)
            }
            wasReturn = scalar == "\r"
        }
        return scalars.split(separator: "\n", omittingEmptySubsequences: false)
    }
}

private struct EntryParser {
    private let line: LogicalLine
    private var position = 0
    var warnings: [PropertiesFile.Warning] = []

    init(_ line: LogicalLine) {
        self.line = line
    }

    mutating func parse() -> PropertiesFile.Entry {
        let key = readKey()
        let hasSeparator = skipSeparator()
        let value = readValue()
        if !hasSeparator {
            warn("\"\(key)\" has no \"=\"; its value is empty")
        }
        if let sign = value.range(ofCommentSign: "#") {
            warn("\"\(sign)\" is part of the value of \(key): a comment needs a line of its own")
        }
        return PropertiesFile.Entry(key: key, value: value, line: line.number)
    }

    private mutating func readKey() -> String {
        var key = String.UnicodeScalarView()
        while position < line.scalars.count {
            let scalar = line.scalars[position]
            if scalar == "=" || scalar == ":" || LogicalLine.isBlank(scalar) { break }
            key.append(contentsOf: readScalars())
        }
        return String(key)
    }

    /// - Returns: true when a value may follow: there was a sign, or a space with something behind it.
    private mutating func skipSeparator() -> Bool {
        skipBlanks()
        guard position < line.scalars.count else { return false }
        if line.scalars[position] == "=" || line.scalars[position] == ":" {
            position += 1
            skipBlanks()
        }
        return true
    }

    private mutating func readValue() -> String {
        var value: [Unicode.Scalar] = []
        var kept = 0
        var hasTrailingBlank = false
        while position < line.scalars.count {
            let isBlank = LogicalLine.isBlank(line.scalars[position])
            value += readScalars()
            hasTrailingBlank = isBlank
            if !isBlank {
                kept = value.count
            }
        }
        if hasTrailingBlank {
            warn("the spaces at the end of the line are not part of the value")
        }
        return String(String.UnicodeScalarView(value.prefix(kept)))
    }

    private mutating func skipBlanks() {
        while position < line.scalars.count, LogicalLine.isBlank(line.scalars[position]) {
            position += 1
        }
    }

    /// Reads one scalar or one escape.
    private mutating func readScalars() -> [Unicode.Scalar] {
        let scalar = line.scalars[position]
        position += 1
        guard scalar == "\\", position < line.scalars.count else { return [scalar] }
        let escaped = line.scalars[position]
        position += 1
        switch escaped {
        case "n": return ["\n"]
        case "r": return ["\r"]
        case "t": return ["\t"]
        case "f": return ["\u{0C}"]
        case "u": return readUnicode()
        default: return [escaped]
        }
    }

    /// Reads behind `\u`; two halves of a surrogate pair become one scalar.
    private mutating func readUnicode() -> [Unicode.Scalar] {
        guard let unit = hexUnit(at: position) else {
            warn("\\u is not followed by four hexadecimal digits")
            return ["u"]
        }
        position += 4
        if let scalar = Unicode.Scalar(unit) { return [scalar] }
        let isEscape =
            position + 1 < line.scalars.count && line.scalars[position] == "\\"
            && line.scalars[position + 1] == "u"
        guard isEscape, let low = hexUnit(at: position + 2), (0xD800..<0xDC00).contains(unit),
            (0xDC00..<0xE000).contains(low),
            let scalar = Unicode.Scalar(0x10000 + (UInt32(unit) - 0xD800) << 10 + (UInt32(low) - 0xDC00))
        else {
            warn("\\u names half of a character")
            return ["\u{FFFD}"]
        }
        position += 6
        return [scalar]
    }

    private func hexUnit(at start: Int) -> UInt16? {
        guard start + 4 <= line.scalars.count else { return nil }
        let digits = String(String.UnicodeScalarView(line.scalars[start..<start + 4]))
        guard digits.utf8.allSatisfy({ $0 != UInt8(ascii: "+") && $0 != UInt8(ascii: "-") }) else { return nil }
        return UInt16(digits, radix: 16)
    }

    private mutating func warn(_ message: String) {
        warnings.append(PropertiesFile.Warning(line: line.number, message: message))
    }
}

extension String {
    /// - Returns: what looks like a comment behind a value, from its sign on.
    fileprivate func range(ofCommentSign sign: Character) -> Substring? {
        var previous: Character?
        for index in indices {
            if self[index] == sign, let previous, previous == " " || previous == "\t" {
                return self[index...]
            }
            previous = self[index]
        }
        return nil
    }
}
