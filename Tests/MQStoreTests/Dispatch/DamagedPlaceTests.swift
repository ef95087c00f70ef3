import MQProtocol
import NIOCore
import TestSupport
import Testing

@testable import MQStore

/// No checksum of a stock record covers its topic and its place in a queue. A flipped bit in them shows where no broker
/// writes such a thing.
@Suite struct DamagedPlaceTests {
    enum Flip: CaseIterable, Sendable {
        case queueID, queueOffset
        /// In the topic: a directory in between, a line's end, a space.
        case slash, lineEnd, space

        /// Counted from the record's first byte.
        var place: (byte: Int, bit: Int) {
            switch self {
            case .queueID: return (RecordLayout.queueID, 7)
            case .queueOffset: return (RecordLayout.queueOffset, 7)
            case .slash: return (DamagedPlaceTests.topicStart + 1, 6)
            case .lineEnd: return (DamagedPlaceTests.topicStart + 5, 6)
            case .space: return (DamagedPlaceTests.topicStart + 6, 4)
            }
        }
    }

    private static let count = 20
    private static let topic = "TopicJ0"
    /// Behind a body of three bytes.
    private static let topicStart = RecordLayout.fixedBytes - 3 + 3 + 1
    private static let file = "/store/commitlog/00000000000000000000"

    /// The items of the topic; a checkpoint holds the first six, and all was flushed.
    private func killed(_ fixture: StoreFixture) throws -> [AppendBatch.Item] {
        let store = try fixture.open()
        try store.put("Gone")
        store.dispatchPending()
        try store.deleteQueues(ofTopic: "Gone")
        var items: [AppendBatch.Item] = []
        for number in 0..<Self.count {
            items.append(try store.put(Self.topic, body: "m\(number)"))
            try store.put("Other", body: "m\(number)")
            guard number == 5 else { continue }
            store.dispatchPending()
            try store.saveCheckpoint()
        }
        store.dispatchPending()
        fixture.device.kill()
        return items
    }

    private func expectTheRest(of store: MessageStore, without damaged: Int) {
        for number in 0..<Self.count where number != damaged {
            #expect(store.pull(Self.topic, from: Int64(number), count: 1) == ["m\(number)"])
        }
        #expect(store.contents("Other") == (0..<Self.count).map { "m\($0)" })
        #expect(store.contents("Gone") == [])
    }

    /// In the middle of the queue, and its last one.
    @Test(arguments: Flip.allCases, [12, 19])
    func `A record that names no queue is skipped and reported once, and costs no other message`(
        flip: Flip, damaged: Int
    ) throws {
        let fixture = StoreFixture()
        let start = try killed(fixture)[damaged].logOffset
        fixture.device.flipBit(Self.file, byte: Int(start.rawValue) + flip.place.byte, bit: flip.place.bit)
        var told = 0
        for round in 0..<3 {
            let store = try fixture.open()
            let lines = Array(fixture.complaints.all.dropFirst(told))
            if round == 0 {
                #expect(lines.contains { $0.hasPrefix("\(Self.file) at \(start): ") && $0.hasSuffix("; skipped") })
            } else {
                #expect(lines == [], "the log is not dispatched again")
            }
            expectTheRest(of: store, without: damaged)
            #expect(try store.files.loadQueues()?.forgotten.keys.sorted() == ["Gone"])
            if round == 0 { try store.close() } else { try store.saveCheckpoint() }
            fixture.device.kill()
            told = fixture.complaints.all.count
        }
        #expect(try fixture.device.list("/store/consumequeue")?.map(\.name) == ["Other", Self.topic])
        #expect(try fixture.device.list("/store/consumequeue/\(Self.topic)")?.map(\.name) == ["0"])
    }

    @Test func `The list of queues has no line that cannot be read`() throws {
        let good = DispatchManifest(
            forgotten: ["C": LogOffset(rawValue: 5)], queues: [.init(topic: "A", queueID: 1, end: 7, first: 0)])
        var manifest = good
        for topic in ["a b", "a\nb", "a/b", ""] {
            manifest.forgotten[topic] = LogOffset(rawValue: 9)
            manifest.queues.append(.init(topic: topic, queueID: 0, end: 3, first: 0))
        }
        manifest.queues.append(.init(topic: "A", queueID: .min, end: 3, first: 0))
        #expect(try DispatchManifest(parsing: manifest.encode()) == good)
    }

    @Test func `A queue with a negative number that an earlier version listed is not missed`() throws {
        var text = ByteBuffer(string: "escrow-queues 1\nqueue -2147483648 13 A 0\nqueue 1 7 A 0\n")
        text.writeString("end \(crc32(text.readableBytesUInt8Span))\n")
        let queues = try DispatchManifest(parsing: text).queues
        #expect(queues == [.init(topic: "A", queueID: 1, end: 7, first: 0)])
    }
}
