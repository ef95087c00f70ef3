public import GRDB
import ShopEvents

/// The order service's own tables, in a file of its own.
public enum OrderDatabase {
    /// Opens the file, and makes what is missing in it.
    public static func open(_ path: String) throws -> DatabasePool {
        let pool = try DatabasePool(path: path)
        try migrate(pool)
        return pool
    }

    public static func migrate(_ database: any DatabaseWriter) throws {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("orders") { db in
            try db.execute(sql: String(decoding: PackageResources.orders_sql, as: UTF8.self))
            try db.execute(sql: HandledEvents.schema)
        }
        try migrator.migrate(database)
    }
}
