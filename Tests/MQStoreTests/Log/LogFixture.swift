import Logging
import MQProtocol
import NIOCore
import Testing

@testable import MQStore

/// A log on a simulated disk whose threads are not started: tests take each step themselves.
struct LogFixture {
    var configuration: StoreConfiguration
    let device: SimulatedDevice
    let clock = ManualClock(start: Timestamp(milliseconds: 1_700_000_000_000))

    init(seed: UInt64 = 1, segmentBytes: Int = 16_384, sectorBytes: Int = 512, capacity: Int? = nil) {
        configuration = StoreConfiguration(directory: "/store")
        configuration.segmentBytes = segmentBytes
        configuration.maximumBodyBytes = segmentBytes
        configuration.firstWindow = 4096
        configuration.zeroFillWindow = 8192
        device = SimulatedDevice(seed: seed, capacity: capacity, sectorBytes: sectorBytes, time: .manual(clock))
    }

    func load() throws -> CommitLog {
        try CommitLog.open(configuration, device: device, time: .manual(clock), logger: Self.silent)
    }

    /// Opens and recovers; queue counters continue behind the records found.
    func open(_ start: RecoveryStart = .normal) throws -> (log: CommitLog, found: Recovered) {
        let log = try load()
        let found = Recovered()
        found.report = try log.recover(start) { offset, record, bytes in
            found.note(offset, record, bytes)
            return .accept
        }
        for (index, next) in found.nextOffsets {
            log.setNextQueueOffset(QueueOffset(rawValue: next), of: Self.queue(index))
        }
        return (log, found)
    }

    static func queue(_ index: Int) -> QueueRef { QueueRef(topic: "Topic", queueID: Int32(index), index: index) }

    static func draft(_ body: String, queue: Int = 0, flags: SysFlag = []) -> MessageDraft {
        MessageDraft(
            topic: "Topic",
            queueID: Int32(queue),
            sysFlag: flags,
            bornTimestamp: Timestamp(milliseconds: 1),
            bornHost: HostAddress(ip: .v4(0x7F00_0001), port: 1),
            storeHost: HostAddress(ip: .v4(0x7F00_0002), port: 2),
            body: ByteBuffer(string: body),
            properties: ByteBuffer(string: "KEYS\u{1}\(body.prefix(4))\u{2}TAGS\u{1}a")
        )
    }

    /// Appends one record of its own and returns its item.
    @discardableResult
    static func append(_ body: String, to log: CommitLog, queue: Int = 0) throws -> AppendBatch.Item {
        var batch = log.makeBatch()
        try batch.add(draft(body, queue: queue), to: Self.queue(queue))
        try log.append(&batch)
        return batch[0]
    }

    static let silent = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
}

/// What a recovery or a scan brought to light.
final class Recovered {
    struct Entry: Equatable {
        var offset: LogOffset
        var queue: Int
        var queueOffset: QueueOffset
        var body: String
        var size: Int
    }

    var report = RecoveryReport(start: .zero, end: .zero)
    var entries: [Entry] = []
    var nextOffsets: [Int: Int64] = [:]

    var bodies: [String] { entries.map(\.body) }

    func note(_ offset: LogOffset, _ record: RecordView, _ bytes: Span<UInt8>) {
        let body = bytes.extracting(record.bodyRange)
        var text: [UInt8] = []
        for index in body.indices { text.append(body[index]) }
        let queue = Int(record.queueID)
        entries.append(
            Entry(
                offset: offset,
                queue: queue,
                queueOffset: record.queueOffset,
                body: String(decoding: text, as: UTF8.self),
                size: record.totalSize
            )
        )
        let type = record.sysFlag.transactionType
        if type == .none || type == .commit { nextOffsets[queue] = record.queueOffset.rawValue + 1 }
    }

    /// Everything readable, the way the dispatcher reads it.
    static func reading(_ log: CommitLog) throws -> Recovered {
        let found = Recovered()
        var offset = log.minimumOffset
        while let slice = log.readable(from: offset) {
            try slice.withBytes { bytes in
                var position = 0
                while position < slice.count {
                    if let head = RecordView.sizeAndMagic(bytes, at: position), head.magic == RecordLayout.blankMagic {
                        break
                    }
                    let record = try RecordView.parse(bytes, at: position)
                    let whole = bytes.extracting(position..<position + record.totalSize)
                    found.note(slice.offset + position, record, whole)
                    position += record.totalSize
                }
            }
            offset = slice.endsSegment ? slice.nextSegment : slice.end
        }
        return found
    }
}
