package import MQProtocol
import NIOCore

/// How far log, queues and index are durable, as store times: the file `checkpoint`, 4096 bytes.
///
/// It only says where a recovery may begin; a lost or damaged one costs a longer scan.
package struct Checkpoint: Sendable, Hashable {
    /// Everything stored up to then is flushed in the commit log.
    package var log: Timestamp
    /// Everything stored up to then is flushed in the consume queues.
    package var queues: Timestamp
    /// Everything stored up to then is in full and flushed index files.
    package var index: Timestamp

    package init(log: Timestamp = .zero, queues: Timestamp = .zero, index: Timestamp = .zero) {
        self.log = log
        self.queues = queues
        self.index = index
    }

    /// What log and queues have for certain: 3 s are given away, as stock does.
    package var minimum: Timestamp {
        max(.zero, min(log, queues).advanced(by: .seconds(-3)))
    }

    private static let length = 4096

    private static func path(_ directory: String) -> String { "\(directory)/checkpoint" }

    /// Nil when there is none or it is too short to be one.
    package static func load(directory: String, device: any StorageDevice) throws(StoreError) -> Checkpoint? {
        guard let content = try device.contents(of: path(directory)),
            let log = content.getInteger(at: 0, as: Int64.self),
            let queues = content.getInteger(at: 8, as: Int64.self),
            let index = content.getInteger(at: 16, as: Int64.self)
        else { return nil }
        return Checkpoint(
            log: Timestamp(milliseconds: log),
            queues: Timestamp(milliseconds: queues),
            index: Timestamp(milliseconds: index)
        )
    }

    /// Writes in place and flushes: the 24 bytes lie in one sector, which a power loss leaves old or new.
    package func save(directory: String, device: any StorageDevice) throws(StoreError) {
        let file = try device.open(Self.path(directory), .create)
        let isNew = try file.length() != Self.length
        if isNew { try file.setLength(Self.length) }
        var content = ByteBuffer()
        content.writeMultipleIntegers(log.milliseconds, queues.milliseconds, index.milliseconds)
        if isNew { content.writeRepeatingByte(0, count: Self.length - content.readableBytes) }
        try file.write(content, at: 0)
        try file.flush()
        if isNew { try device.syncDirectory(directory) }
    }
}

/// The empty file `abort`: there while the store runs, so that the next start knows of a crash.
package struct AbortMark: Sendable {
    private let directory: String
    private let device: any StorageDevice
    private var path: String { "\(directory)/abort" }

    package init(directory: String, device: any StorageDevice) {
        self.directory = directory
        self.device = device
    }

    package func exists() throws(StoreError) -> Bool { try device.exists(path) }

    /// Durable on return.
    package func create() throws(StoreError) {
        _ = try device.open(path, .create)
        try device.syncDirectory(directory)
    }

    /// Durable on return.
    package func remove() throws(StoreError) {
        try device.remove(path)
        try device.syncDirectory(directory)
    }
}
