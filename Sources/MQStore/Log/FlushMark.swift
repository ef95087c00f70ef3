import Logging
import MQProtocol
import NIOCore
import Synchronization

/// How far the log is durable for certain: the file `escrow/flushed` beside the log.
///
/// Recovery needs it to tell a torn end from damage. Bytes that were never flushed may be anything after a power loss,
/// and the log ends before the first record that is not whole. Bytes that were flushed were acknowledged: a record
/// among them that is not whole any more was damaged later, and what follows it must be kept.
///
/// Two slots are written in turn: a write that fails half-way leaves the other one.
///
/// Written behind every flush, which costs a microsecond and survives a killed process; made durable once a second. It
/// is never ahead of the truth; behind it, damage within the last second before a power loss looks like a torn end.
final class FlushMark: Sendable {
    private struct State {
        var file: (any StorageFile)?
        var written: LogOffset?
        var slot = 0
        var isUnsynced = false
        /// A flush failed: the newest mark is written again before each one.
        var hasFailed = false
    }

    /// Each slot is in a sector of its own.
    private static let slotDistance = 512

    private let directory: String
    private let device: any StorageDevice
    private let logger: Logger
    private let state = Mutex(State())

    private var path: String { "\(directory)/flushed" }

    init(root: String, device: any StorageDevice, logger: Logger) {
        directory = "\(root)/escrow"
        self.device = device
        self.logger = logger
    }

    /// Zero when there is no mark, or none that can be trusted.
    func load() throws(StoreError) -> LogOffset {
        guard let content = try device.contents(of: path), content.readableBytes > 0 else { return .zero }
        let marks = [0, Self.slotDistance].compactMap { position -> LogOffset? in
            guard let offset = content.getInteger(at: position, as: Int64.self), offset >= 0 else { return nil }
            let mark = Self.encode(LogOffset(rawValue: offset))
            let isWhole = content.getSlice(at: position, length: mark.readableBytes) == mark
            return isWhole ? LogOffset(rawValue: offset) : nil
        }
        guard let newest = marks.max() else {
            logger.warning("\(path) is damaged; damage in the newest part of the log will look like its end")
            return .zero
        }
        return newest
    }

    /// The log was recovered and ends here. Durable on return: nothing may be appended below a mark that is too high.
    func begin(at end: LogOffset) throws(StoreError) {
        try device.createDirectory(directory)
        let file = try device.open(path, .create)
        for position in [0, Self.slotDistance] { try file.write(Self.encode(end), at: position) }
        try file.flush()
        try device.syncDirectory(directory)
        state.withLock { $0 = State(file: file, written: end) }
    }

    /// A failure is not one of the log: the mark only falls behind.
    func move(to end: LogOffset) {
        state.withLock { state in
            guard let file = state.file, state.written != end else { return }
            do throws(StoreError) {
                try file.write(Self.encode(end), at: state.slot * Self.slotDistance)
                state.written = end
                state.slot = 1 - state.slot
                state.isUnsynced = true
            } catch {
                logger.debug("\(path) falls behind: \(error)")
            }
        }
    }

    func sync() throws(StoreError) {
        let file = try state.withLock { (state) throws(StoreError) in
            guard state.isUnsynced, let file = state.file else { return nil as (any StorageFile)? }
            // The system takes what it could not write for written.
            if state.hasFailed, let newest = state.written {
                try file.write(Self.encode(newest), at: (1 - state.slot) * Self.slotDistance)
            }
            state.isUnsynced = false
            return file
        }
        do throws(StoreError) {
            try file?.flush()
        } catch {
            state.withLock { state in
                state.isUnsynced = true
                state.hasFailed = true
            }
            throw error
        }
    }

    /// Offset, its CRC-32, four zeros: a power loss leaves the slot's sector old or new.
    private static func encode(_ offset: LogOffset) -> ByteBuffer {
        var buffer = ByteBuffer(integer: offset.rawValue)
        buffer.writeInteger(crc32(buffer.readableBytesUInt8Span))
        buffer.writeInteger(UInt32(0))
        return buffer
    }
}
