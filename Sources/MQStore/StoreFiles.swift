import Logging
import MQProtocol
import NIOCore
import Synchronization

/// The small files that say how far everything is durable: checkpoint, abort mark, and the dispatch manifest.
final class StoreFiles: Sendable {
    private let root: String
    private let device: any StorageDevice
    private let positionFile: SideFile
    private let queuesFile: SideFile
    private let logger: Logger
    let abort: AbortMark
    private let checkpoint = Mutex(Checkpoint())
    private let position = Mutex<DispatchManifest.Position?>(nil)

    init(root: String, device: any StorageDevice, logger: Logger) {
        self.root = root
        self.device = device
        self.logger = logger
        positionFile = SideFile(device: device, path: "\(root)/escrow/position", logger: logger)
        queuesFile = SideFile(device: device, path: "\(root)/escrow/queues", logger: logger)
        abort = AbortMark(directory: root, device: device)
    }

    func loadCheckpoint() throws(StoreError) -> Checkpoint {
        let loaded = try Checkpoint.load(directory: root, device: device) ?? Checkpoint()
        checkpoint.withLock { $0 = loaded }
        return loaded
    }

    /// Times never go back.
    func save(log: Timestamp, queues: Timestamp, index: Timestamp) throws(StoreError) {
        let next = checkpoint.withLock { checkpoint in
            // Not the latest ever: it would be ahead of all that comes after the clock was set back.
            if log > .zero { checkpoint.log = log }
            if queues > .zero { checkpoint.queues = queues }
            checkpoint.index = max(checkpoint.index, index)
            return checkpoint
        }
        try next.save(directory: root, device: device)
    }

    /// Nil when the file is missing or damaged: then everything is found out from the log.
    func loadPosition() throws(StoreError) -> DispatchManifest.Position? {
        let loaded = try load(positionFile) { try DispatchManifest.Position(parsing: $0) }
        position.withLock { $0 = loaded }
        return loaded
    }

    /// As it was loaded or saved last.
    var recordedPosition: LogOffset? { position.withLock { $0?.queues } }

    func loadQueues() throws(StoreError) -> DispatchManifest? {
        try load(queuesFile) { try DispatchManifest(parsing: $0) }
    }

    /// The number of sealed index files stays while it is not given and the name of the newest is the same: a start
    /// records what it found before it looks at the files.
    func save(_ position: DispatchManifest.Position) throws(StoreError) {
        var next = position
        if next.sealedFiles == nil, let known = recorded, known.sealed == next.sealed {
            next.sealedFiles = known.sealedFiles
        }
        try positionFile.save(next.encode())
        let saved = next
        self.position.withLock { $0 = saved }
    }

    private var recorded: DispatchManifest.Position? { position.withLock { $0 } }

    /// Replaces only what is said of the sealed index files, if that changed. Before the first position is known, there
    /// is nothing that a crash could leave for it to be compared with.
    func saveSealed(_ sealed: (name: String, files: Int)?) throws(StoreError) {
        guard var next = recorded, next.sealed != sealed?.name || next.sealedFiles != sealed?.files else { return }
        next.sealed = sealed?.name
        next.sealedFiles = sealed?.files
        next.index = nil
        try save(next)
    }

    func save(_ queues: DispatchManifest) throws(StoreError) { try queuesFile.save(queues.encode()) }

    private func load<Value>(
        _ file: SideFile,
        _ parse: (ByteBuffer) throws -> Value
    ) throws(StoreError) -> Value? {
        do throws(StoreError) {
            return try file.load(parse).value
        } catch {
            guard error.code == .corrupt else { throw error }
            logger.warning("\(file.path) does not parse, consume queues are checked against the log: \(error.message)")
            return nil
        }
    }
}
