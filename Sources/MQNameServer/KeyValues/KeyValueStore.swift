import MQProtocol
import NIOCore
import Synchronization

/// The key-value table and the file that keeps it. A change is visible once it is on disk.
final class KeyValueStore: Sendable {
    private let file: AtomicFile
    private let table: Mutex<KeyValueTable>
    /// Held while a change is written, so that readers never wait for the disk.
    private let writing = Mutex<Void>(())

    /// Loads the file, or the version before it when it makes no sense.
    /// - Throws: `inputOutput`, `corrupt`.
    init(path: String) throws(NameServerError) {
        file = AtomicFile(path: path)
        table = Mutex(try Self.load(file))
    }

    var current: KeyValueTable { table.withLock { $0 } }

    /// Blocks until the change is on disk.
    /// - Throws: `inputOutput`; the table is then unchanged.
    func change(_ body: (inout KeyValueTable) -> Void) throws(NameServerError) {
        try writing.withLock { _ throws(NameServerError) in
            var changed = current
            body(&changed)
            guard changed != current else { return }
            try file.write(changed.encode())
            table.withLock { [changed] in $0 = changed }
        }
    }

    private static func load(_ file: AtomicFile) throws(NameServerError) -> KeyValueTable {
        guard let content = try file.read() else { return KeyValueTable() }
        if let table = KeyValueTable(decoding: content) { return table }
        if let backup = try file.readBackup(), let table = KeyValueTable(decoding: backup) { return table }
        let message =
            "\(file.path) is no table of values, and there is no good \(file.backupPath): restore or remove it"
        throw NameServerError(.corrupt, message)
    }
}
