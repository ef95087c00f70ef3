/// A function, initialiser or accessor with a body.
struct FunctionExtent: Equatable {
    let name: String
    /// From 1; the line of the keyword.
    let line: Int
    let lineCount: Int
}

/// Finds functions by their keywords and matching braces, in code without strings and comments.
struct FunctionFinder {
    private struct Word {
        let text: String
        let start: Int
        let end: Int
    }

    private let code: [UInt8]
    private let lineStarts: [Int]

    init(_ file: SourceFile) {
        let bytes = file.codeBytes
        code = bytes
        lineStarts = [0] + bytes.indices.filter { bytes[$0] == 0x0A }.map { $0 + 1 }
    }

    func functions() -> [FunctionExtent] {
        let words = words()
        return words.indices.compactMap { index in
            let word = words[index]
            guard isDeclaration(word, after: index > 0 ? words[index - 1] : nil) else { return nil }
            guard let open = bodyStart(word), let close = matchingBrace(open) else { return nil }
            let first = line(word.start)
            let next = words.indices.contains(index + 1) ? words[index + 1].text : ""
            let isNamed = word.text == "func" || word.text == "var"
            return FunctionExtent(
                name: isNamed ? next : word.text, line: first, lineCount: line(close) - first + 1)
        }
    }

    private func isDeclaration(_ word: Word, after previous: Word?) -> Bool {
        switch word.text {
        case "func": return true
        case "init", "subscript":
            if word.start > 0, code[word.start - 1] == UInt8(ascii: ".") { return false }
            return previous?.text != "func"
        case "deinit", "var": return true
        default: return false
        }
    }

    /// The brace that opens the body. A requirement of a protocol has none: the search ends at the next declaration,
    /// and a stored property's at the end of its line or at `=`.
    private func bodyStart(_ word: Word) -> Int? {
        var depth = 0
        var index = word.end
        while index < code.count {
            switch code[index] {
            case UInt8(ascii: "("), UInt8(ascii: "["): depth += 1
            case UInt8(ascii: ")"), UInt8(ascii: "]"): depth -= 1
            case UInt8(ascii: "{") where depth == 0: return index
            case UInt8(ascii: "}") where depth == 0: return nil
            case UInt8(ascii: "="), 0x0A: if word.text == "var", depth == 0 { return nil }
            default: break
            }
            if depth < 0 { return nil }
            if depth == 0, isNewDeclaration(at: index) { return nil }
            index += 1
        }
        return nil
    }

    private func isNewDeclaration(at index: Int) -> Bool {
        guard code[index] == 0x0A else { return false }
        let line = code[(index + 1)...].prefix { $0 != 0x0A }.drop { $0 == 0x20 }
        let keywords = [
            "func ", "init", "var ", "let ", "subscript", "case ", "mutating ", "static ", "associatedtype ",
        ]
        return keywords.contains { line.starts(with: $0.utf8) }
    }

    private func matchingBrace(_ open: Int) -> Int? {
        var depth = 0
        for index in open..<code.count {
            if code[index] == UInt8(ascii: "{") { depth += 1 }
            if code[index] == UInt8(ascii: "}") {
                depth -= 1
                if depth == 0 { return index }
            }
        }
        return nil
    }

    private func line(_ position: Int) -> Int {
        var low = 0
        var high = lineStarts.count
        while low + 1 < high {
            let middle = (low + high) / 2
            if lineStarts[middle] <= position { low = middle } else { high = middle }
        }
        return low + 1
    }

    private func words() -> [Word] {
        var words: [Word] = []
        var index = 0
        while index < code.count {
            guard Self.isWordByte(code[index]) else {
                index += 1
                continue
            }
            let start = index
            while index < code.count, Self.isWordByte(code[index]) { index += 1 }
            words.append(Word(text: String(decoding: code[start..<index], as: UTF8.self), start: start, end: index))
        }
        return words
    }

    private static func isWordByte(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x5F, 0x80...: true
        default: false
        }
    }
}
