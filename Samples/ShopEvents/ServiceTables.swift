public import GRDB

/// The tables of one service, which stand in a file of its own.
///
/// What a released step says stays as it is: files that have it do not take it again. A change is a further step.
public struct ServiceTables: Sendable {
    private struct Step {
        var name: String
        var sql: String
    }

    private var steps: [Step] = []

    /// - Parameters:
    ///   - name: of the migration that makes them, and the table of handled events.
    ///   - schema: SQL text.
    public init(_ name: String, _ schema: [UInt8]) {
        steps = [Step(name: name, sql: Self.text(schema) + HandledEvents.schema)]
    }

    /// These tables with a further step.
    public func then(_ name: String, _ schema: [UInt8]) -> ServiceTables {
        var tables = self
        tables.steps.append(Step(name: name, sql: Self.text(schema)))
        return tables
    }

    /// Opens the file, and makes what is missing in it.
    ///
    /// - Throws: `DatabaseError` for a file that cannot be opened, is no database, or has other tables of these names.
    public func open(_ path: String) throws -> DatabasePool {
        let pool = try DatabasePool(path: path, configuration: Self.waiting)
        try make(in: pool)
        return pool
    }

    /// Whoever looks into a file with a tool of his own may hold it for a moment.
    public static var waiting: Configuration {
        var configuration = Configuration()
        configuration.busyMode = .timeout(5)
        return configuration
    }

    /// Takes the steps that the database has not had.
    ///
    /// - Parameter last: the step to stop behind, as an earlier version did; nil for all.
    /// - Throws: `DatabaseError`; a step that fails leaves nothing.
    public func make(in database: any DatabaseWriter, upTo last: String? = nil) throws {
        var migrator = DatabaseMigrator()
        for step in steps {
            migrator.registerMigration(step.name) { try $0.execute(sql: step.sql) }
        }
        if let last { try migrator.migrate(database, upTo: last) } else { try migrator.migrate(database) }
    }

    private static func text(_ schema: [UInt8]) -> String { String(decoding: schema, as: UTF8.self) + "\n" }
}
