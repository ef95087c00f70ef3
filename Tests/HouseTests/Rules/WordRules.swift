/// Words that do not occur.
enum WordRules {
    static let all = [reminders, calls, libraryCalls, testCalls, typeNames]

    /// Work is done or written down outside the code.
    static let reminders = Rule.lines(
        "no reminders", mentioning: ["TODO", "FIXME", "XXX", "HACK"], in: \.comments,
        where: { !$0.path.hasSuffix(".md") }
    ) { line in
        line.firstMatch(of: /\b(TODO|FIXME|XXX|HACK)\b/).map { "the reminder \($0.1)" }
    }

    static let calls = Rule.lines("no calls that give up", mentioning: ["fatalError", "try!", "as!"]) { line in
        line.firstMatch(of: /\b(fatalError\(|try[!]|as[!])/).map { "\($0.1) instead of an error or a precondition" }
    }

    /// Where the clocks themselves are, and waiting for a condition with a deadline.
    private static let clocks = ["Sources/MQProtocol/Time/", "Sources/MQStore/File/Condition.swift"]

    /// Libraries speak through their logger and wait on the injected clock.
    static let libraryCalls = Rule.lines(
        "libraries neither print nor read a clock of their own",
        mentioning: ["print", "Date()", "clock_gettime", "gettimeofday", "sleep"],
        where: { file in file.isSwift && file.isLibrary && !clocks.contains { file.path.hasPrefix($0) } },
        { line in
            let pattern =
                /(?:^|[^.\w])(print\(|debugPrint\(|Date\(\)|clock_gettime|gettimeofday|Task\.sleep|Thread\.sleep)/
            return line.firstMatch(of: pattern).map { "\($0.1) in a library" }
        })

    /// A test awaits an event or moves the clock.
    static let testCalls = Rule.lines("tests do not sleep", mentioning: ["sleep"], where: { $0.isSwift && $0.isTest }) {
        line in
        let pattern = /(?:^|[^.\w])(Task\.sleep|Thread\.sleep|usleep\(|nanosleep\(|sleep\()/
        return line.firstMatch(of: pattern).map { "\($0.1) in a test" }
    }

    /// A type is named after what it is.
    static let typeNames = Rule.lines(
        "no empty words in names of types", mentioning: ["Manager", "Util", "Helper", "Impl", "Abstract", "Default"]
    ) { line in
        guard let match = line.firstMatch(of: /\b(?:struct|class|enum|actor|protocol|typealias)\s+([A-Z]\w*)/) else {
            return nil
        }
        let name = String(match.1)
        let pattern = /(Manager|Utilit(?:y|ies)|Utils?|Helpers?|Impl)(?![a-z])|^(Abstract|Default)(?=[A-Z])/
        return name.firstMatch(of: pattern).map { "\($0.0) in the name of \(name)" }
    }
}
