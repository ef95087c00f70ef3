import MQProtocol
import NIOCore
import Synchronization
import TestSupport
import Testing

@testable import MQStore

/// A store on a simulated disk whose threads are not started: tests take each step themselves.
struct StoreFixture {
    var configuration: StoreConfiguration
    let device: SimulatedDevice
    let clock = ManualClock(start: Timestamp(milliseconds: 1_700_000_000_000))
    let arrivals = Arrivals()
    let complaints = LogLines()

    init(seed: UInt64 = 1, segmentBytes: Int = 16_384, queueSegmentEntries: Int = 50) {
        configuration = StoreConfiguration(directory: "/store")
        configuration.segmentBytes = segmentBytes
        configuration.maximumBodyBytes = segmentBytes
        configuration.queueSegmentEntries = queueSegmentEntries
        configuration.indexSlots = 500
        configuration.indexEntries = 100
        configuration.firstWindow = 0
        configuration.zeroFillWindow = 0
        device = SimulatedDevice(seed: seed, time: .manual(clock))
    }

    /// - Parameter listed: the topics that exist; nil: nobody knows.
    func open(
        listed: Set<String>? = nil, willDelete: @escaping @Sendable (LogOffset) -> LogOffset = { $0 },
        deleted: @escaping @Sendable (Range<LogOffset>) -> Void = { _ in }
    ) throws -> MessageStore {
        let arrivals = arrivals
        let observer = StoreObserver(dispatched: { arrivals.add($0) }, willDelete: willDelete, deleted: deleted)
        var isListed: (@Sendable (String) -> Bool)?
        if let listed { isListed = { listed.contains($0) } }
        let topics = isListed
        return try MessageStore.open(
            configuration,
            device: device,
            time: .manual(clock),
            logger: complaints.logger,
            observer: observer,
            listedTopics: { () throws(StoreError) in topics }
        )
    }

    /// A store with 100 messages of a topic that a checkpoint holds and 80 whose queue entries are only written.
    func openHalfDurable() throws -> MessageStore {
        let store = try open()
        for number in 0..<100 { try store.put("Topic", 0, body: "m\(number)") }
        store.dispatchPending()
        try store.saveCheckpoint()
        for number in 100..<180 { try store.put("Topic", 0, body: "m\(number)") }
        store.dispatchPending()
        try store.flushNow()
        return store
    }

    static func draft(
        _ topic: String,
        _ queueID: Int32 = 0,
        body: String,
        properties: String = "",
        flags: SysFlag = []
    ) -> MessageDraft {
        MessageDraft(
            topic: topic,
            queueID: queueID,
            sysFlag: flags,
            bornTimestamp: Timestamp(milliseconds: 1),
            bornHost: HostAddress(ip: .v4(0x7F00_0001), port: 1),
            storeHost: HostAddress(ip: .v4(0x7F00_0002), port: 2),
            body: ByteBuffer(string: body),
            properties: ByteBuffer(string: properties)
        )
    }

    /// Bytes of every file under a directory, by path relative to it.
    func tree(_ directory: String) throws -> [String: ByteBuffer] {
        var found: [String: ByteBuffer] = [:]
        for entry in try device.list(directory) ?? [] {
            if entry.isDirectory {
                for (path, bytes) in try tree("\(directory)/\(entry.name)") { found["\(entry.name)/\(path)"] = bytes }
            } else {
                found[entry.name] = try device.contents(of: "\(directory)/\(entry.name)")
            }
        }
        return found
    }

    func removeTree(_ directory: String) throws {
        for entry in try device.list(directory) ?? [] {
            if entry.isDirectory {
                try removeTree("\(directory)/\(entry.name)")
            } else {
                try device.remove("\(directory)/\(entry.name)")
            }
        }
        try device.remove(directory)
        // What a person deletes stays deleted.
        for parent in ["/store", "/store/consumequeue"] { try device.syncDirectory(parent) }
    }
}

extension MessageStore {
    /// Appends one record of its own and returns its item.
    @discardableResult
    func put(
        _ topic: String,
        _ queueID: Int32 = 0,
        body: String = "body",
        properties: String = "",
        flags: SysFlag = []
    ) throws -> AppendBatch.Item {
        var batch = makeBatch()
        let draft = StoreFixture.draft(topic, queueID, body: body, properties: properties, flags: flags)
        try batch.add(draft, to: queue(topic, queueID))
        try append(&batch)
        return batch[0]
    }

    /// Bodies that one pull brings.
    func pull(_ topic: String, _ queueID: Int32 = 0, from: Int64, count: Int = 32, filter: TagFilter = .all) -> [String]
    {
        let ref = queue(topic, queueID)
        let offset = QueueOffset(rawValue: from)
        let selection = select(ref, from: offset, maximumCount: count, limits: PullLimits(), filter: filter)
        return bodies(selection)
    }

    /// The bodies of a topic's queue 0 from offset 0 on, up to the first that is not there.
    func contents(_ topic: String) -> [String] {
        var bodies: [String] = []
        while case let page = pull(topic, from: Int64(bodies.count)), !page.isEmpty { bodies += page }
        return bodies
    }

    func bodies(_ selection: Selection) -> [String] {
        var buffer = ByteBuffer()
        let copied = copy(selection, into: &buffer)
        precondition(copied == buffer.readableBytes && copied == selection.totalBytes)
        var bodies: [String] = []
        while buffer.readableBytes > 0 {
            guard let record = try? RecordView.parse(buffer.readableBytesUInt8Span) else {
                preconditionFailure("a pull brings whole records")
            }
            let start = buffer.readerIndex + record.bodyRange.lowerBound
            bodies.append(buffer.getString(at: start, length: record.bodyRange.count) ?? "")
            buffer.moveReaderIndex(forwardBy: record.totalSize)
        }
        return bodies
    }
}

/// What the observer was told.
final class Arrivals: Sendable {
    private let rounds = Mutex<[[Arrival]]>([])

    func add(_ round: [Arrival]) { rounds.withLock { $0.append(round) } }

    var all: [Arrival] { rounds.withLock { $0.flatMap(\.self) } }
}
