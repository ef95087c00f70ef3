import MQStore
import NIOCore

/// What the disk allows: a bare loop of writes and flushes into blocks that were zero-filled before, without any
/// broker around it.
struct GroupCommitLimit {
    let directory: String
    let seconds: Double

    /// Records per second when each flush covers `waiters` records of `recordBytes`, written one by one.
    func recordsPerSecond(waiters: Int, recordBytes: Int) throws -> Double {
        let log = try BareLog(directory: directory)
        defer { log.remove() }
        return try log.recordsPerSecond(waiters: waiters, recordBytes: recordBytes, inOneWrite: false, seconds: seconds)
    }
}

/// A file of zeros that reached the disk, written from its start again when it is full: it costs no zeros while it is
/// measured, unlike a log.
final class BareLog {
    private static let capacity = 64 << 20
    private let path: String
    private let device = FileDevice()
    private let file: any StorageFile
    private var offset = 0

    init(directory: String) throws {
        path = "\(directory)/group-commit"
        file = try device.open(path, .truncate)
        try file.zeroFill(0..<Self.capacity)
        try file.flush()
    }

    func remove() { try? device.remove(path) }

    /// Records per second when each flush covers `waiters` records of `recordBytes`.
    ///
    /// - Parameter inOneWrite: whether one write brings all of them: the higher of the two limits.
    func recordsPerSecond(waiters: Int, recordBytes: Int, inOneWrite: Bool, seconds: Double) throws -> Double {
        let record = ByteBuffer(repeating: 0x5A, count: inOneWrite ? recordBytes * waiters : recordBytes)
        var records = 0
        let begun = Stopwatch.nanoseconds
        let limit = begun + UInt64(seconds * 1e9)
        var now = begun
        while now < limit {
            for _ in 0..<(inOneWrite ? 1 : waiters) { try write(record) }
            try file.flush()
            records += waiters
            now = Stopwatch.nanoseconds
        }
        return Double(records) / (Double(now - begun) / 1e9)
    }

    /// One record a flush.
    func append(recordBytes: Int, flushes: Int) throws {
        let record = ByteBuffer(repeating: 0x5A, count: recordBytes)
        for _ in 0..<flushes {
            try write(record)
            try file.flush()
        }
    }

    private func write(_ bytes: ByteBuffer) throws {
        if offset + bytes.readableBytes > Self.capacity { offset = 0 }
        try file.write(bytes, at: offset)
        offset += bytes.readableBytes
    }
}
