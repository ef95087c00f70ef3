import Logging
import MQProtocol
import NIOCore
import Synchronization
import Testing

@testable import MQBroker
@testable import MQStore

/// A store on a simulated disk, whose threads are not started, and the offsets of its groups.
@Suite("Deleting what nobody consumed yet")
struct UnconsumedMessagesTests {
    private final class Observed: Sendable {
        let messages = Mutex<UnconsumedMessages?>(nil)
    }

    private let clock = ManualClock(start: Timestamp(milliseconds: 1_700_000_000_000))
    private let device: SimulatedDevice
    private let store: MessageStore
    private let offsets: OffsetTable
    private let unconsumed: UnconsumedMessages

    private static let logger = Logger(label: "retention") { _ in SwiftLogNoOpLogHandler() }

    init() throws {
        device = SimulatedDevice(seed: 1, time: .manual(clock))
        var configuration = StoreConfiguration(directory: "/store")
        configuration.segmentBytes = 1024
        configuration.maximumBodyBytes = 512
        configuration.queueSegmentEntries = 10
        configuration.indexSlots = 100
        configuration.indexEntries = 400
        configuration.firstWindow = 0
        configuration.zeroFillWindow = 0
        configuration.deletionHours = Set(0...23)
        let observed = Observed()
        let observer = StoreObserver(
            retains: { limit in observed.messages.withLock { $0?.consumed(upTo: limit) ?? limit } },
            deleted: { range in observed.messages.withLock { $0?.noteDeletion(range) } }
        )
        store = try MessageStore.open(
            configuration, device: device, time: .manual(clock), logger: Self.logger, observer: observer)
        let file = SideFile(device: device, path: "/store/config/consumerOffset.json", logger: Self.logger)
        offsets = try OffsetTable.load(
            from: file, settings: BrokerSettings(BrokerConfiguration()), time: .manual(clock), logger: Self.logger)
        let topics = try Self.topics(on: device, clock)
        unconsumed = UnconsumedMessages(store: store, topics: topics, offsets: offsets, logger: Self.logger)
        let messages = unconsumed
        observed.messages.withLock { $0 = messages }
        try fill()
    }

    /// `Topic` with queues 0 and 1.
    private static func topics(on device: SimulatedDevice, _ clock: ManualClock) throws -> TopicTable {
        let file = SideFile(device: device, path: "/store/config/topics.json", logger: logger)
        let version = DataVersion(counter: 1, timestamp: clock.now())
        let config = TopicConfig(topicName: "Topic", readQueueNums: 2, writeQueueNums: 2)
        try file.save(TopicFile(version: version, topics: [config]).text)
        return try TopicTable.load(
            from: file, settings: BrokerSettings(BrokerConfiguration()), time: .manual(clock), logger: logger,
            makeQueue: { QueueRef(topic: $0, queueID: $1, index: Int($1)) })
    }

    /// 60 messages in eight segments or more, all of which have expired.
    private func fill() throws {
        for number in 0..<60 { try put("Topic", "message \(number)") }
        try store.flushNow()
        store.dispatchPending()
        clock.advance(by: .seconds(73 * 3600))
    }

    /// - Returns: where it is in the log.
    @discardableResult
    private func put(_ topic: String, _ body: String, queueID: Int32 = 0) throws -> LogOffset {
        let host = HostAddress(ip: .v4(0x7F00_0001), port: 1)
        var batch = store.makeBatch()
        let draft = MessageDraft(
            topic: topic, queueID: queueID, bornTimestamp: clock.now(), bornHost: host, storeHost: host,
            body: ByteBuffer(string: body), properties: ByteBuffer()
        )
        try batch.add(draft, to: store.queue(topic, queueID))
        try store.append(&batch)
        return batch[0].logOffset
    }

    private var first: Int { Int(store.minimumOffset(of: store.queue("Topic", 0)).rawValue) }

    private func commit(_ group: String, _ offset: Int64) {
        offsets.commit(group: group, topic: "Topic", queueID: 0, offset: offset)
    }

    @Test("What goes is counted for each group that had not come so far")
    func counted() throws {
        commit("slow", 3)
        commit("fast", 60)
        try fillDisk()
        store.keepHouse()
        #expect(first > 30)
        #expect(unconsumed.deleted(topic: "Topic", group: "slow") == first - 3)
        #expect(unconsumed.deleted(topic: "Topic", group: "fast") == 0)
        #expect(unconsumed.deleted == first - 3)
    }

    /// Above the watermark, below the limit for sends.
    private func fillDisk() throws {
        let space = try device.space(at: "/store")
        device.setCapacity((space.total - space.available) * 100 / 88)
    }

    @Test("Gaps of a queue are passed over: what comes behind one is what is kept")
    func gapFirst() throws {
        try put("Gap", "first")
        store.log.setNextQueueOffset(QueueOffset(rawValue: 5), of: store.queue("Gap", 0))
        let behind = store.appendedOffset
        try put("Gap", "behind the gap")
        store.dispatchPending()
        offsets.commit(group: "slow", topic: "Gap", queueID: 0, offset: 1)
        let entries = try store.entries(of: store.queue("Gap", 0), from: QueueOffset(rawValue: 1), count: 64)
        #expect(entries.map(\.isBlank) == [true, true, true, true, false])
        #expect(unconsumed.consumed(upTo: store.appendedOffset) == behind)
        #expect(unconsumed.consumed(upTo: behind) == behind)
    }

    @Test("In a queue that the topic got while a group was away, the group has consumed nothing")
    func newQueue() throws {
        commit("away", 60)
        offsets.commit(group: "elsewhere", topic: "Other", queueID: 0, offset: 0)
        let first = try put("Topic", "0", queueID: 1)
        try put("Topic", "1", queueID: 1)
        store.dispatchPending()
        let end = store.appendedOffset
        #expect(unconsumed.consumed(upTo: end) == first)
        #expect(unconsumed.consumed(upTo: first) == first)
        unconsumed.noteDeletion(LogOffset.zero..<end)
        #expect(unconsumed.deleted(topic: "Topic", group: "away") == 2)
        #expect(unconsumed.deleted == 2)

        offsets.commit(group: "away", topic: "Topic", queueID: 1, offset: 2)
        #expect(unconsumed.consumed(upTo: end) == end)
    }

    @Test("A queue that consumers are not told of counts only for groups that have an offset there")
    func queueBeyond() throws {
        commit("new", 60)
        let first = try put("Topic", "0", queueID: 2)
        store.dispatchPending()
        let end = store.appendedOffset
        #expect(unconsumed.consumed(upTo: end) == end)
        unconsumed.noteDeletion(LogOffset.zero..<end)
        #expect(unconsumed.deleted == 0)

        offsets.commit(group: "old", topic: "Topic", queueID: 2, offset: 0)
        commit("old", 60)
        #expect(unconsumed.consumed(upTo: end) == first)
        unconsumed.noteDeletion(LogOffset.zero..<end)
        #expect(unconsumed.deleted(topic: "Topic", group: "old") == 1)
        #expect(unconsumed.deleted == 1)
    }

    @Test("While a queue cannot be read, only who is at its end has consumed anything of it")
    func unreadable() throws {
        commit("slow", 0)
        // The first time writes the entries to their files, the second frees the memory.
        for _ in 0..<2 { store.keepHouse() }
        let end = store.appendedOffset
        let queue = store.queue("Topic", 0)
        let next = try #require(try store.entries(of: queue, from: QueueOffset(rawValue: 20), count: 1).first)
        device.fail(.read, permanently: true)
        commit("slow", 60)
        #expect(unconsumed.consumed(upTo: end) == end)
        commit("slow", 20)
        #expect(unconsumed.consumed(upTo: end) == store.minimumLogOffset)
        unconsumed.noteDeletion(LogOffset.zero..<end)
        #expect(unconsumed.deleted == 0, "how many is not known")
        device.clearFaults()
        #expect(unconsumed.consumed(upTo: end) == next.logOffset)
        unconsumed.noteDeletion(LogOffset.zero..<end)
        #expect(unconsumed.deleted == 40)
    }

    @Test("It is kept until it is consumed, or until the disk is above its watermark")
    func retained() throws {
        commit("slow", 20)
        store.keepHouse()
        let kept = first
        #expect((1...20).contains(kept))
        #expect(unconsumed.deleted == 0)

        try fillDisk()
        clock.advance(by: .seconds(11))
        store.keepHouse()
        #expect(first > 20)
        #expect(unconsumed.deleted(topic: "Topic", group: "slow") == first - 20)
        #expect(unconsumed.deleted == first - 20)
    }
}
