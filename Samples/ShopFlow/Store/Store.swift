import Foundation
import GRDB
import InventoryService
import MQProtocol
import OrderService
import RegistrationMail
import ShopEvents

/// The directory of a run: one database for each service, one for the run itself, the welcomes, and the embedded
/// broker's files.
struct Store: Sendable {
    let directory: URL
    let settings: StoreSettings
    let orders: DatabasePool
    let inventory: DatabasePool
    let registration: DatabasePool
    let flow: DatabasePool
    let isResumed: Bool
    private let lock: StoreLock

    var brokerDirectory: String { directory.appending(path: "broker").filePath }
    var outboxDirectory: URL { directory.appending(path: "welcomes") }

    /// Of services, by name.
    var services: [(name: String, database: DatabasePool)] {
        [
            (OrderService.name, orders), (InventoryService.name, inventory), (RegistrationService.name, registration),
        ]
    }

    /// What a store that exists was made for; nil for a new one.
    ///
    /// - Throws: ``FlowError/Code/storeMismatch`` for a directory of something else.
    static func settings(in directory: URL) throws -> StoreSettings? {
        let path = directory.appending(path: "flow.sqlite").filePath
        guard FileManager.default.fileExists(atPath: path) else {
            let others = (try? FileManager.default.contentsOfDirectory(atPath: directory.filePath)) ?? []
            guard others.allSatisfy({ $0 == lockName || $0.hasPrefix(lockName + "-") || $0 == "lost+found" }) else {
                throw FlowError(
                    .storeMismatch,
                    "\(directory.filePath) holds other files and no run: name an empty or a new directory.")
            }
            return nil
        }
        do {
            return try openFlow(path).read { try StoreSettings.read($0) }
        } catch let error as DatabaseError {
            throw FlowError(.storeMismatch, "\(path) is no store of a run: \(error.message ?? "unreadable").")
        }
    }

    private static let lockName = "lock"

    /// Opens a store, or makes it.
    ///
    /// - Throws: ``FlowError/Code/unusableStore``, ``FlowError/Code/storeLocked``, ``FlowError/Code/storeMismatch``.
    static func open(
        _ directory: URL, _ workload: Workload, _ settings: WorkloadSettings, isEmbedded: Bool, now: Timestamp
    ) throws -> Store {
        try StoreDirectory.make(directory)
        func path(_ name: String) -> String { directory.appending(path: name).filePath }
        let lock = try StoreLock(path(lockName))
        let known = try self.settings(in: directory)
        let wanted = StoreSettings(
            namespace: known?.namespace ?? newNamespace(), workload: settings, fingerprint: workload.fingerprint,
            isEmbedded: isEmbedded)
        if let known { try check(known, wanted, directory) }
        // Without its settings a store was never finished.
        if known == nil { try removeServices(directory) }
        let flow = try openFlow(path("flow.sqlite"))
        let inventory = try InventoryService.tables.open(path("inventory.sqlite"))
        try inventory.write { db in
            for shelf in workload.shelves {
                try InventoryService.stock([shelf.code], quantity: shelf.quantity, in: db)
            }
        }
        let orders = try OrderService.tables.open(path("orders.sqlite"))
        let registration = try RegistrationService.tables.open(path("registration.sqlite"))
        // Last: a store with settings is complete.
        if known == nil { try flow.write { try wanted.insert($0, workload.input, now: now) } }
        return Store(
            directory: directory, settings: known ?? wanted, orders: orders, inventory: inventory,
            registration: registration, flow: flow, isResumed: known != nil, lock: lock)
    }

    func close() throws {
        for database in [orders, inventory, registration, flow] { try database.close() }
        try lock.release()
    }

    private static func removeServices(_ directory: URL) throws {
        for name in try FileManager.default.contentsOfDirectory(atPath: directory.filePath)
        where ["orders.sqlite", "inventory.sqlite", "registration.sqlite"].contains(where: name.hasPrefix) {
            try FileManager.default.removeItem(at: directory.appending(path: name))
        }
    }

    private static func openFlow(_ path: String) throws -> DatabasePool {
        let pool = try DatabasePool(path: path, configuration: ServiceTables.waiting)
        var migrator = DatabaseMigrator()
        migrator.registerMigration("flow") { db in
            try db.execute(sql: String(decoding: PackageResources.flow_sql, as: UTF8.self))
        }
        migrator.registerMigration("flow-half") { db in
            try db.execute(sql: String(decoding: PackageResources.flow_half_sql, as: UTF8.self))
        }
        try migrator.migrate(pool)
        return pool
    }

    private static func check(_ known: StoreSettings, _ wanted: StoreSettings, _ directory: URL) throws(FlowError) {
        guard known.isEmbedded == wanted.isEmbedded else {
            throw FlowError(
                .storeMismatch,
                known.isEmbedded
                    ? "The messages of the run in \(directory.filePath) are in its own broker: go on without -n."
                    : "The messages of the run in \(directory.filePath) are on a separate broker: name it with -n.")
        }
        guard known.fingerprint == wanted.fingerprint else {
            throw FlowError(
                .storeMismatch,
                "\(directory.filePath) holds another run (\(known.workload.source.name), seed \(known.workload.seed), "
                    + "opening stock \(known.workload.openingStock)): go on with the same file and settings, or name "
                    + "another --store.")
        }
        guard known.workload.unpaid == wanted.workload.unpaid, known.workload.seed == wanted.workload.seed else {
            throw FlowError(
                .storeMismatch,
                "The run in \(directory.filePath) has --unpaid \(known.workload.unpaid) --seed \(known.workload.seed): "
                    + "go on with the same, or name another --store.")
        }
    }

    private static func newNamespace() -> String {
        "shop-" + String(UInt64.random(in: 0...UInt64.max), radix: 36)
    }
}

extension URL {
    /// As the file system spells it.
    var filePath: String { path(percentEncoded: false) }
}
