/// Rules about files as such.
enum PathRules {
    /// Nothing that is true on one machine only. Built from pieces, so that this file does not break the rule.
    private static let machinePaths = ["work", "root", "home", "Users"].map { "/" + $0 + "/" }

    static let absolutePaths = Rule(name: "no path of one machine") { file in
        file.lines.enumerated().compactMap { index, line in
            machinePaths.first { hasPath(line, $0) }.map {
                Violation(path: file.path, line: index + 1, message: "the path \($0) of one machine")
            }
        }
    }

    static let emptyFile = Rule(name: "no empty file") { file in
        let isPlaceholder = file.path.split(separator: "/").last?.hasPrefix("Placeholder") == true
        let hasContent = file.text.contains { !$0.isWhitespace }
        let hasCode = !file.isSwift || file.code.contains { !$0.allSatisfy(\.isWhitespace) }
        if hasContent, hasCode, !isPlaceholder { return [] }
        return [Violation(path: file.path, line: 1, message: "an empty file or a placeholder")]
    }

    /// The targets that the manifest declares.
    static func declaredTargets(_ manifest: SourceFile) -> Set<String> {
        let pattern = /\.(?:target|executableTarget|testTarget|systemLibrary)\(\s*name:\s*"(\w+)"/
        return Set(manifest.text.matches(of: pattern).map { String($0.1) })
    }

    /// A file that no target compiles.
    static func strays(_ files: [SourceFile], targets: Set<String>) -> [Violation] {
        files.filter { file in file.isSwift && ["Sources/", "Samples/", "Tests/"].contains(where: file.path.hasPrefix) }
            .filter { !targets.contains($0.target) }
            .map { Violation(path: $0.path, line: 1, message: "belongs to no target of the manifest") }
    }

    /// Two files of one target with one name: the compiler cannot tell their object files apart.
    static func namesakes(_ files: [SourceFile]) -> [Violation] {
        var seen: [String: String] = [:]
        return files.filter(\.isSwift).compactMap { file in
            let name = file.target + "/" + (file.path.split(separator: "/").last ?? "")
            guard let other = seen.updateValue(file.path, forKey: name) else { return nil }
            return Violation(path: file.path, line: 1, message: "has the name of \(other)")
        }
    }

    /// SQL that no program contains: the manifest embeds file by file.
    static func unembedded(_ files: [SourceFile], _ manifest: SourceFile) -> [Violation] {
        files.filter { $0.path.hasSuffix(".sql") }.compactMap { file in
            let name = file.path.split(separator: "/").last ?? ""
            if manifest.text.contains(".embedInCode(\"\(name)\")") { return nil }
            return Violation(path: file.path, line: 1, message: "not embedded by the manifest")
        }
    }

    /// What a build leaves behind and nobody commits.
    static func builtFiles(_ tracked: [String]) -> [Violation] {
        tracked.filter { $0 == "Package.resolved" || $0.hasPrefix(".build") || $0.hasPrefix(".swiftpm/") }
            .map { Violation(path: $0, line: 1, message: "made by the build, not to be committed") }
    }

    private static func hasPath(_ line: Substring, _ path: String) -> Bool {
        guard let range = line.firstRange(of: path) else { return false }
        guard range.lowerBound > line.startIndex else { return true }
        let before = line[line.index(before: range.lowerBound)]
        return !before.isLetter && !before.isNumber && !"._-".contains(before)
    }
}
