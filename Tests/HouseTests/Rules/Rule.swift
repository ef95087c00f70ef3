import Foundation

/// One house rule: what it demands, and where a file breaks it.
struct Rule: Sendable, CustomStringConvertible {
    let name: String
    let check: @Sendable (SourceFile) -> [Violation]

    var description: String { name }

    /// A rule about single lines.
    ///
    /// - Parameters:
    ///   - words: a file without any of them keeps the rule; spares most files the search line by line.
    ///   - text: which lines are looked at: all of the text, or only the code, or only the comments.
    static func lines(
        _ name: String, mentioning words: [String], in text: @escaping @Sendable (SourceFile) -> [Substring] = \.code,
        where applies: @escaping @Sendable (SourceFile) -> Bool = \.isSwift,
        _ find: @escaping @Sendable (Substring) -> String?
    ) -> Rule {
        Rule(name: name) { file in
            guard applies(file), words.contains(where: { file.text.contains($0) }) else { return [] }
            return text(file).enumerated().compactMap { index, line in
                guard words.contains(where: { line.contains($0) }) else { return nil }
                return find(line).map { Violation(path: file.path, line: index + 1, message: $0) }
            }
        }
    }

    static let all: [Rule] =
        SizeRules.all + WordRules.all + UnsafeRules.all + [
            ImportRules.rule, PathRules.absolutePaths, PathRules.emptyFile,
        ]
}
