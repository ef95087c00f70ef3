import MQProtocol
import NIOCore
import Synchronization
import TestSupport

@testable import MQStore

/// One store on one simulated disk, driven step by step by one thread, and the model it is compared with.
///
/// The store's threads are not started: the driver does their work between other operations, in an order that the seed
/// decides. Nothing here depends on time or on the order of a dictionary, so a seed always brings the same run.
final class World {
    /// What one operation may be, with how often it comes.
    enum Operation: String, CaseIterable {
        case append, batch, half, decide, timer, flush, dispatch, house, checkpoint, zeroFill
        case readRecord, pull, query, search, consume, saveOffsets
        case wait, setClock, deleteTopic, deleteExpired
        case fault, heal, fillDisk, flip, crash, powerCut, kill, reopen, removeFiles

        var weight: Int {
            switch self {
            case .append: 300
            case .batch: 150
            case .half, .decide, .timer: 30
            case .flush: 150
            case .dispatch: 80
            case .house: 40
            case .checkpoint, .zeroFill: 10
            case .readRecord, .pull: 60
            case .query: 25
            case .search: 15
            case .consume: 25
            case .saveOffsets: 8
            case .wait: 60
            case .setClock, .deleteTopic, .deleteExpired: 3
            case .fault: 6
            case .heal: 8
            case .fillDisk, .flip, .removeFiles: 2
            case .crash, .powerCut: 4
            case .kill, .reopen: 3
            }
        }

        /// May be missing altogether in a world: what is rare meets other things more often then.
        var isOptional: Bool {
            switch self {
            case .append, .batch, .flush, .dispatch, .wait: false
            default: true
            }
        }
    }

    static let topics = ["Alpha", "Beta", "%RETRY%group", SystemTopic.half, SystemTopic.opHalf, SystemTopic.timerWheel]

    var random: SeededGenerator
    let configuration: StoreConfiguration
    let device: SimulatedDevice
    let clock = ManualClock(start: Timestamp(milliseconds: 1_700_000_000_000))
    let complaints = LogLines()
    /// Retention may go up to here.
    let keepFrom = Offset()
    let dropsPages: Bool
    var isDiskLimited = false
    var store: MessageStore?
    var refs: [QueueRef] = []
    var model: Model
    var consumers = ConsumerModel()
    var trail = Trail()
    private(set) var operations = 0
    private var deck: [Operation] = []
    /// Numbers for bodies and for what waits.
    var nextID = 0

    init(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var configuration = StoreConfiguration(directory: "/store")
        configuration.segmentBytes = [2048, 3000, 4096, 8192][random.below(4)]
        configuration.maximumBodyBytes = 4096
        configuration.queueSegmentEntries = [7, 16, 40][random.below(3)]
        configuration.indexSlots = 40
        configuration.indexEntries = [10, 30, 90][random.below(3)]
        configuration.firstWindow = [0, 1024][random.below(2)]
        configuration.zeroFillWindow = [0, 2048, 6000][random.below(3)]
        configuration.appendsRecordChecksum = random.below(2) == 0
        configuration.retention = .seconds([4, 10, 30][random.below(3)])
        configuration.deletionHours = Set(0...23)
        configuration.checkpointInterval = .seconds([2, 30][random.below(2)])
        configuration.openQueueFiles = [2, 100][random.below(2)]
        if random.below(2) == 0 { configuration.flush = .asynchronous(interval: .seconds(1)) }
        self.configuration = configuration
        device = SimulatedDevice(
            seed: random.next(), sectorBytes: random.below(2) == 0 ? 512 : 4096, time: .manual(clock))
        dropsPages = random.below(3) == 0
        device.setDropsPagesOnFailedFlush(dropsPages)
        var queues: [ModelQueue] = []
        for topic in Self.topics {
            for id in 0..<(topic == "Alpha" ? 3 : 1) { queues.append(ModelQueue(topic: topic, queueID: Int32(id))) }
        }
        model = Model(queues: queues)
        for operation in Operation.allCases {
            let factor = operation.isOptional ? [0, 1, 1, 3][random.below(4)] : 1
            for _ in 0..<operation.weight * factor { deck.append(operation) }
        }
        self.random = random
    }

    var setting: String {
        "segments of \(configuration.segmentBytes), queue files of \(configuration.queueSegmentEntries), record CRC"
            + " \(configuration.appendsRecordChecksum), pages dropped \(dropsPages)"
    }

    /// - Throws: `Violation`.
    func run(operations wanted: Int) throws {
        try restart(.begin)
        while operations < wanted {
            operations += 1
            try step(deck[random.below(deck.count)])
        }
        try finish()
    }

    func step(_ operation: Operation) throws {
        trail.add("\(operations) \(operation.rawValue)")
        let failures = device.failures
        do {
            try perform(operation)
        } catch let violation as Violation where violation.isAbsence && device.failures > failures {
            // What the disk does not give just now cannot be read.
        } catch let error as StoreError {
            trail.amend(" failed: \(error.code)")
            if error.code == .closed { throw Violation(.open, error.message) }
        }
        if device.isPowerless {
            trail.add("\(operations) the power is gone")
            try restart(.crash)
        } else {
            try observe()
        }
    }

    private func perform(_ operation: Operation) throws {
        guard let store else { throw Violation(.harness, "no store") }
        switch operation {
        case .append: try append(store, count: 1)
        case .batch: try append(store, count: 2 + random.below(5))
        case .half: try appendWaiting(store, topic: SystemTopic.half)
        case .timer: try appendWaiting(store, topic: SystemTopic.timerWheel)
        case .decide: try decide(store)
        case .flush: try flush(store)
        case .dispatch: try dispatch(store)
        case .house: try keepHouse(store)
        case .checkpoint: try store.saveCheckpoint()
        case .zeroFill: try fillZeros(store)
        case .readRecord: try readRecord(store)
        case .pull: try pull(store)
        case .query: try query(store)
        case .search: try search(store)
        case .consume: consumers.consume(model, &random)
        case .saveOffsets: try consumers.save(device)
        case .wait: clock.advance(by: .milliseconds(Int64(random.below(3000))))
        case .setClock: setClock()
        case .deleteTopic: try deleteTopic(store)
        case .deleteExpired: try deleteExpired(store)
        case .fault, .heal, .fillDisk, .flip: try disturb(operation)
        case .crash, .powerCut, .kill, .reopen, .removeFiles: try interrupt(operation)
        }
    }

    private func setClock() {
        let hour: Int64 = 3_600_000
        clock.set(to: Timestamp(milliseconds: clock.now().milliseconds + [-hour, hour][random.below(2)]))
    }

    /// After each operation: what became durable is acknowledged, what expired is forgotten.
    private func observe() throws {
        guard let store else { return }
        if store.log.refusal != nil { model.hasFlushFailed = true }
        let flushed = store.flushedOffset.rawValue
        if flushed < model.acknowledged {
            throw Violation(.durableEnd, "\(flushed) after \(model.acknowledged)")
        }
        if flushed > model.end { throw Violation(.durable, "\(flushed) of \(model.end)") }
        model.acknowledge(flushed)
        let minimum = store.minimumLogOffset.rawValue
        for (number, record) in model.waiting where record.logOffset < minimum && !record.isDamaged {
            throw Violation(.waiting, "number \(number) at \(record.logOffset)")
        }
        model.forget(below: minimum)
        if isDiskLimited { model.forgetEntriesWithoutRoom() }
    }
}

extension SeededGenerator {
    /// 0..<limit
    mutating func below(_ limit: Int) -> Int { Int(truncatingIfNeeded: (next() >> 33) % UInt64(limit)) }
}

/// An offset that the store's observer reads.
final class Offset: Sendable {
    let value = Mutex<Int64>(.max)
}
