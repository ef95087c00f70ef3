import GRDB

/// What a conservation check found.
public struct CheckResult: Sendable, Equatable {
    /// What must hold.
    public var promise: String
    /// The sums that show it.
    public var arithmetic: String
    /// Subjects that break it: stock codes, orders, payments, messages.
    public var violations: Int
    /// Some of them.
    public var examples: [String]

    static let exampleLimit = 5

    init(_ promise: String, _ arithmetic: String, failing: [String]) {
        self.promise = promise
        self.arithmetic = arithmetic
        violations = failing.count
        examples = Array(failing.prefix(Self.exampleLimit))
    }
}

/// The checks, each in a file of its own. They read the services' databases and the topics, nothing else.
enum Checks {
    /// Integer sums of a table, for the arithmetic.
    static func sum(_ db: Database, _ sql: String) throws -> Int64 {
        try Int64.fetchOne(db, sql: sql) ?? 0
    }
}
