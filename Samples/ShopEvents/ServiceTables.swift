public import GRDB

/// The tables of one service, which stand in a file of its own.
public struct ServiceTables: Sendable {
    private let name: String
    private let schema: String

    /// - Parameters:
    ///   - name: of the migration that makes them.
    ///   - schema: SQL text.
    public init(_ name: String, _ schema: [UInt8]) {
        self.name = name
        self.schema = String(decoding: schema, as: UTF8.self)
    }

    /// Opens the file, and makes what is missing in it.
    public func open(_ path: String) throws -> DatabasePool {
        let pool = try DatabasePool(path: path)
        try make(in: pool)
        return pool
    }

    public func make(in database: any DatabaseWriter) throws {
        var migrator = DatabaseMigrator()
        migrator.registerMigration(name) { db in
            try db.execute(sql: schema)
            try db.execute(sql: HandledEvents.schema)
        }
        try migrator.migrate(database)
    }
}
