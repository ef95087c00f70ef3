/// Splits Swift source into code and comments, so that a rule about code is not fooled by a string or a comment.
///
/// Both results have the lines and columns of the source; what belongs to neither (string contents) and to the other
/// one is blank. Code inside a string's interpolation is code. Regex literals are not known.
struct SwiftLexer {
    private enum Mode {
        case code(parentheses: Int)
        case string(hashes: Int, isMultiline: Bool)
    }

    private let source: [UInt8]
    private var position = 0
    private var modes: [Mode] = [.code(parentheses: 0)]
    private(set) var code: [UInt8] = []
    private(set) var comments: [UInt8] = []

    init(_ text: String) {
        source = Array(text.utf8)
        code.reserveCapacity(source.count)
        comments.reserveCapacity(source.count)
        while position < source.count {
            switch modes.last ?? .code(parentheses: 0) {
            case .code(let parentheses): lexCode(parentheses)
            case .string(let hashes, let isMultiline): lexString(hashes, isMultiline)
            }
        }
    }

    private mutating func lexCode(_ parentheses: Int) {
        if starts("//") { return lexLineComment() }
        if starts("/*") { return lexBlockComment() }
        if let hashes = hashesBeforeQuote() { return openString(hashes) }
        let byte = source[position]
        if byte == UInt8(ascii: "(") {
            modes[modes.count - 1] = .code(parentheses: parentheses + 1)
        } else if byte == UInt8(ascii: ")") {
            if parentheses == 0, modes.count > 1 {
                modes.removeLast()
            } else {
                modes[modes.count - 1] = .code(parentheses: max(0, parentheses - 1))
            }
        }
        emit(1, asCode: true)
    }

    private mutating func lexLineComment() {
        while position < source.count, source[position] != 0x0A { emit(1, asComment: true) }
    }

    private mutating func lexBlockComment() {
        var depth = 0
        repeat {
            if starts("/*") {
                depth += 1
                emit(2, asComment: true)
            } else if starts("*/") {
                depth -= 1
                emit(2, asComment: true)
            } else {
                emit(1, asComment: true)
            }
        } while depth > 0 && position < source.count
    }

    /// The number of `#` when a string literal begins here.
    private func hashesBeforeQuote() -> Int? {
        var index = position
        while index < source.count, source[index] == UInt8(ascii: "#") { index += 1 }
        guard index < source.count, source[index] == UInt8(ascii: "\"") else { return nil }
        return index - position
    }

    private mutating func openString(_ hashes: Int) {
        emit(hashes, asCode: true)
        let isMultiline = starts("\"\"\"")
        emit(isMultiline ? 3 : 1, asCode: true)
        modes.append(.string(hashes: hashes, isMultiline: isMultiline))
    }

    private mutating func lexString(_ hashes: Int, _ isMultiline: Bool) {
        let quote = isMultiline ? "\"\"\"" : "\""
        let marks = String(repeating: "#", count: hashes)
        if starts(quote + marks) {
            modes.removeLast()
            return emit(quote.utf8.count + hashes, asCode: true)
        }
        if starts("\\" + marks + "(") {
            emit(2 + hashes)
            return modes.append(.code(parentheses: 0))
        }
        if starts("\\" + marks) {
            return emit(2 + hashes)
        }
        if source[position] == 0x0A, !isMultiline { modes.removeLast() }
        emit(1)
    }

    private func starts(_ text: String) -> Bool {
        let end = position + text.utf8.count
        return end <= source.count && source[position..<end].elementsEqual(text.utf8)
    }

    private mutating func emit(_ count: Int, asCode: Bool = false, asComment: Bool = false) {
        for byte in source[position..<min(position + count, source.count)] {
            let isBreak = byte == 0x0A
            code.append(asCode || isBreak ? byte : 0x20)
            comments.append(asComment || isBreak ? byte : 0x20)
        }
        position = min(position + count, source.count)
    }
}
