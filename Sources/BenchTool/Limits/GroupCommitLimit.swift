import MQStore
import NIOCore

/// What the disk allows: a bare loop of writes and flushes into blocks that were zero-filled before, without any
/// broker around it.
struct GroupCommitLimit {
    let directory: String
    let seconds: Double

    /// Records per second when each flush covers `waiters` records of `recordBytes`, written one by one.
    func recordsPerSecond(waiters: Int, recordBytes: Int) throws -> Double {
        let path = "\(directory)/group-commit"
        let device = FileDevice()
        let file = try device.open(path, .truncate)
        let capacity = 64 << 20
        try file.zeroFill(0..<capacity)
        try file.flush()
        let record = ByteBuffer(repeating: 0x5A, count: recordBytes)
        var offset = 0
        var records = 0
        let begun = NIODeadline.now().uptimeNanoseconds
        let limit = begun + UInt64(seconds * 1e9)
        var now = begun
        while now < limit {
            for _ in 0..<waiters {
                if offset + recordBytes > capacity { offset = 0 }
                try file.write(record, at: offset)
                offset += recordBytes
            }
            try file.flush()
            records += waiters
            now = NIODeadline.now().uptimeNanoseconds
        }
        try device.remove(path)
        return Double(records) / (Double(now - begun) / 1e9)
    }
}
