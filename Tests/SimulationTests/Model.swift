import MQProtocol

/// What the driver knows of one record that it appended.
final class SentRecord {
    enum Kind: Equatable {
        case plain
        /// A half message or a timed one that waits, under this number.
        case waiting(Int)
        /// What became of the one with this number.
        case outcome(Int)
        /// Says that the one with this number is settled; its outcome, if it has one, stands before it.
        case settled(Int)
    }

    let id: Int
    /// Index of the queue in the world.
    let queue: Int
    let kind: Kind
    let queueOffset: Int64
    let logOffset: Int64
    let size: Int
    /// Of all its bytes as they were written.
    let checksum: UInt32
    let storeTime: Int64
    /// A bit of it was flipped: it may be missing, and must not be served.
    var isDamaged = false
    /// That bit was one of those that say to which place in which queue it belongs.
    var isPlaceLost = false

    var end: Int64 { logOffset + Int64(size) }

    init(
        id: Int, queue: Int, kind: Kind, queueOffset: Int64, logOffset: Int64, size: Int, checksum: UInt32,
        storeTime: Int64
    ) {
        self.id = id
        self.queue = queue
        self.kind = kind
        self.queueOffset = queueOffset
        self.logOffset = logOffset
        self.size = size
        self.checksum = checksum
        self.storeTime = storeTime
    }
}

/// A queue as it should be.
struct ModelQueue {
    let topic: String
    let queueID: Int32
    /// The records of its present life that are in the log, by queue offset, with room in front for those that expired.
    var records: [SentRecord] = []
    /// The next queue offset.
    var next: Int64 = 0
    /// Records below belong to an earlier life.
    var lifeStart: Int64 = 0
    /// The derived files were taken away when none of its records was left: it may begin again with the next start,
    /// unless a new record of it is durable before that.
    var mayBeginAgain = false

    /// Nothing of it can be read.
    var isBare: Bool { records.allSatisfy(\.isDamaged) }

    func record(at number: Int64) -> SentRecord? {
        guard let first = records.first, number >= first.queueOffset else { return nil }
        let index = Int(number - first.queueOffset)
        return index < records.count ? records[index] : nil
    }
}

/// What was sent, what of it was acknowledged, and what may be lost.
struct Model {
    /// In log order, without what expired. Damaged ones stay.
    var log: [SentRecord] = []
    var queues: [ModelQueue]
    /// The store said that everything below is flushed.
    var acknowledged: Int64 = 0
    /// Damage below is not taken for the end of the log, even after a power loss.
    var marked: Int64 = 0
    /// The end of the log.
    var end: Int64 = 0
    /// The log was deleted below, at some time.
    var minimum: Int64 = 0
    /// Batches whose append failed: they may turn up after a crash, whole records of them. Not any more when a later
    /// append succeeded.
    var candidates: [SentRecord] = []
    /// A flush failed in this life of the process: what was not acknowledged may be gone even after a kill.
    var hasFlushFailed = false
    /// The newest copy of everything that waits.
    var waiting: [Int: SentRecord] = [:]
    /// An interrupted deletion: topic, end of the log then.
    var uncertainDeletion: (topic: String, end: Int64)?

    mutating func append(_ record: SentRecord) {
        log.append(record)
        queues[record.queue].records.append(record)
        queues[record.queue].next = record.queueOffset + 1
        candidates = []
        end = record.end
        note(record)
    }

    /// Everything below is durable.
    mutating func acknowledge(_ flushed: Int64) {
        acknowledged = flushed
        for index in queues.indices where queues[index].mayBeginAgain {
            if queues[index].records.contains(where: { !$0.isDamaged && $0.end <= flushed }) {
                queues[index].mayBeginAgain = false
            }
        }
    }

    private mutating func note(_ record: SentRecord) {
        switch record.kind {
        case .waiting(let number): waiting[number] = record
        case .settled(let number): waiting[number] = nil
        case .plain, .outcome: break
        }
    }

    /// The store dropped everything below.
    mutating func forget(below minimum: Int64) {
        self.minimum = max(self.minimum, minimum)
        guard let first = log.first, first.logOffset < minimum else { return }
        log.removeFirst(log.firstIndex { $0.logOffset >= minimum } ?? log.count)
        for index in queues.indices {
            let records = queues[index].records
            guard let first = records.first, first.logOffset < minimum else { continue }
            queues[index].records.removeFirst(records.firstIndex { $0.logOffset >= minimum } ?? records.count)
        }
    }

    /// What the log really has after a recovery: the first `kept` records, and then what was found besides.
    mutating func settle(kept: Int, extra: [SentRecord], end newEnd: Int64) {
        for record in log[kept...].reversed() {
            queues[record.queue].records.removeAll { $0 === record }
            if record.logOffset >= queues[record.queue].lifeStart { queues[record.queue].next = record.queueOffset }
        }
        log.removeLast(log.count - kept)
        for record in extra { append(record) }
        end = newEnd
        acknowledged = newEnd
        marked = newEnd
        for index in queues.indices {
            queues[index].lifeStart = min(queues[index].lifeStart, newEnd)
            if !queues[index].isBare { queues[index].mayBeginAgain = false }
        }
        candidates = []
        hasFlushFailed = false
        waiting = [:]
        for record in log { note(record) }
    }

    /// Entries that find no room on the disk are forgotten with the process: deleting segments is what makes room, and
    /// then nothing tells any more where a queue without records went on.
    mutating func forgetEntriesWithoutRoom() {
        for index in queues.indices where queues[index].records.isEmpty { queues[index].mayBeginAgain = true }
    }

    mutating func delete(topic: String, at end: Int64) {
        for index in queues.indices where queues[index].topic == topic {
            queues[index].records = []
            queues[index].next = 0
            queues[index].lifeStart = end
            queues[index].mayBeginAgain = false
        }
    }
}
