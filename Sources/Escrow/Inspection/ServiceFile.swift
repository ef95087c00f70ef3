import Foundation
import GRDB
import MQProtocol

/// The database of a service that may or may not be running, for tools that find it in a directory.
package struct ServiceFile: Sendable {
    /// The file's name without its ending.
    package let name: String
    private let database: DatabasePool

    package var inspection: Inspection { Inspection(database) }

    /// Every service's database in a directory, in order of name.
    ///
    /// - Throws: ``EscrowError/Code/databaseUnsuitable`` when there is none, or one cannot be read.
    package static func all(in directory: String) async throws -> [ServiceFile] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
        var files: [ServiceFile] = []
        for name in names.sorted() where name.hasSuffix(".sqlite") || name.hasSuffix(".db") {
            if let file = try await open("\(directory)/\(name)", name) { files.append(file) }
        }
        guard !files.isEmpty else {
            throw EscrowError(
                .databaseUnsuitable, "There is no service's database (*.sqlite, *.db) in \(directory): check --store.")
        }
        return files
    }

    /// Nil for a database without Escrow's tables.
    private static func open(_ path: String, _ name: String) async throws -> ServiceFile? {
        do {
            let file = ServiceFile(name: String(name.prefix { $0 != "." }), database: try DatabasePool(path: path))
            return try await file.inspection.hasTables() ? file : nil
        } catch {
            throw EscrowError(.databaseUnsuitable, "\(path) cannot be read: \(error)", cause: error)
        }
    }

    /// - Returns: how many open letters will be handled again.
    package func redrive(_ ids: [Int64]?, consumer: String?) async throws -> Int {
        try await Inspection.redrive(database, ids, consumer: consumer)
    }

    /// - Returns: how many open letters were closed.
    package func discard(_ ids: [Int64]?, consumer: String?) async throws -> Int {
        try await Inspection.discard(database, ids, consumer: consumer, now: TimeSource.system.now())
    }
}
