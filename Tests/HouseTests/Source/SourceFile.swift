/// A text file of the repository, and for Swift its code and comments apart.
struct SourceFile {
    /// From the root of the repository.
    let path: String
    let lines: [Substring]
    /// Lines in which strings and comments are blank; for other languages the text itself.
    let code: [Substring]
    /// Lines in which everything but comments is blank.
    let comments: [Substring]
    /// The code's bytes, line breaks included.
    let codeBytes: [UInt8]
    let text: String

    init(path: String, text: String) {
        self.path = path
        self.text = text
        lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        guard path.hasSuffix(".swift") else {
            code = lines
            comments = lines
            codeBytes = Array(text.utf8)
            return
        }
        let lexer = SwiftLexer(text)
        codeBytes = lexer.code
        code = String(decoding: lexer.code, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
        comments = String(decoding: lexer.comments, as: UTF8.self)
            .split(separator: "\n", omittingEmptySubsequences: false)
    }

    var isSwift: Bool { path.hasSuffix(".swift") }

    /// The folder below `Sources`, `Samples` or `Tests`; empty elsewhere.
    var target: String {
        let parts = path.split(separator: "/")
        guard parts.count > 2, Self.roots.contains(parts[0]) else { return "" }
        return String(parts[1])
    }

    private static let roots: Set<Substring> = ["Sources", "Samples", "Tests"]

    var isTest: Bool { path.hasPrefix("Tests/") }
    var isSource: Bool { path.hasPrefix("Sources/") || path.hasPrefix("Samples/") }
    /// Not one of an executable's own files.
    var isLibrary: Bool { isSource && isSwift && !target.hasSuffix("Tool") }
}

/// A place where a file breaks a rule.
struct Violation: Hashable, CustomStringConvertible {
    let path: String
    /// From 1.
    let line: Int
    let message: String

    var description: String { "\(path):\(line): \(message)" }
}
