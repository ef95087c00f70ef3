import Foundation
import GRDB
import MQProtocol

/// The database of a service that may or may not be running, for tools that find it in a directory. Nothing is written
/// to it but what is decided of dead letters.
package struct ServiceFile: Sendable {
    /// The file's name without its ending.
    package let name: String
    package let inspection: Inspection
    fileprivate let path: String
    /// How long a decision waits for a service that is committing. Default: 5 s.
    package var busyTimeout: Duration = .seconds(5)

    /// What was found in a directory.
    package struct Found: Sendable {
        /// In order of name.
        package var files: [ServiceFile] = []
        /// What looks like a database by its name and is no service's: a line each.
        package var skipped: [String] = []
        /// Names that were not asked for; their files were not opened.
        package var others: [String] = []
    }

    /// Every service's database in a directory.
    ///
    /// - Parameter service: the name of one, and no other file is opened; nil for all.
    /// - Throws: ``EscrowError/Code/databaseUnsuitable`` when there is none, one cannot be read, or two have one name:
    ///   what is decided of the letters of one would be done to both.
    package static func all(in directory: String, service: String? = nil) async throws -> Found {
        let entries = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
        var found = Found()
        for entry in entries.sorted() {
            guard let name = name(of: entry) else { continue }
            guard service == nil || name == service else {
                found.others.append(name)
                continue
            }
            if let reason = try await found.add("\(directory)/\(entry)", named: name) {
                found.skipped.append("skipped \(directory)/\(entry): \(reason)")
            }
        }
        guard !found.files.isEmpty || !found.others.isEmpty else {
            throw EscrowError(
                .databaseUnsuitable,
                "There is no service's database (*.sqlite, *.db) in \(directory): check --store."
                    + found.skipped.map { " " + $0 }.joined())
        }
        try found.checkNames()
        return found
    }

    private static let endings = [".sqlite", ".db"]

    /// Without the ending: what stands before it may have dots too, as a copy's date. Nil for another ending.
    private static func name(of file: String) -> String? {
        endings.first(where: file.hasSuffix).map { String(file.dropLast($0.count)) }
    }

    // MARK: Decisions

    /// - Returns: how many open letters will be handled again.
    package func redrive(_ ids: [Int64]?, consumer: String?) async throws -> Int {
        try await writing { try await Inspection.redrive($0, ids, consumer: consumer) }
    }

    /// - Returns: how many open letters were closed.
    package func discard(_ ids: [Int64]?, consumer: String?) async throws -> Int {
        try await writing {
            try await Inspection.discard($0, ids, consumer: consumer, now: TimeSource.system.now())
        }
    }

    private func writing(_ change: (DatabasePool) async throws -> Int) async throws -> Int {
        var configuration = Configuration()
        // The service may be committing just now.
        configuration.busyMode = .timeout(busyTimeout / .seconds(1))
        do {
            return try await change(try DatabasePool(path: path, configuration: configuration))
        } catch let error as DatabaseError {
            guard let trouble = DatabaseTrouble(error)?.error else {
                throw EscrowError(.databaseUnsuitable, "\(path) cannot be written: \(error)", cause: error)
            }
            throw EscrowError(trouble.code, "\(path): \(trouble.message)", cause: error)
        }
    }
}

extension ServiceFile.Found {
    fileprivate func checkNames() throws(EscrowError) {
        for (name, same) in Dictionary(grouping: files, by: \.name).sorted(by: { $0.key < $1.key })
        where same.count > 1 {
            throw EscrowError(
                .databaseUnsuitable,
                "\(same.map(\.path).joined(separator: " and ")) are both the service \(name): move the one that is "
                    + "not in use out of the directory.")
        }
    }

    /// - Returns: why the file is no service's database; nil when it is one.
    fileprivate mutating func add(_ path: String, named name: String) async throws -> String? {
        do {
            if let reason = try DatabaseFile.refusal(path) { return reason }
            let inspection = Inspection(try DatabaseFile.open(path))
            guard try await inspection.hasTables() else { return "it has no tables of Escrow." }
            files.append(ServiceFile(name: name, inspection: inspection, path: path))
            return nil
        } catch let error as EscrowError {
            throw error
        } catch {
            throw EscrowError(.databaseUnsuitable, "\(path) cannot be read: \(error)", cause: error)
        }
    }
}
