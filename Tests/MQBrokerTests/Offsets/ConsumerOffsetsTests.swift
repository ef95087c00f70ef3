import Foundation
import MQProtocol
import MQStore
import NIOCore
import Testing

@testable import MQBroker

@Suite("Consumer offsets")
struct ConsumerOffsetsTests {
    private let orders = TopicGroup(topic: "Orders", group: "G")

    @Test("A commit overwrites, also with a smaller offset; the same again changes nothing")
    func commit() {
        var offsets = ConsumerOffsets()
        #expect(offsets.commit(orders, queueID: 0, offset: 5) == true)
        #expect(offsets.commit(orders, queueID: 0, offset: 5) == false)
        #expect(offsets.commit(orders, queueID: 0, offset: 3) == true)
        #expect(offsets.offset(orders, queueID: 0) == 3)
        #expect(offsets.offset(orders, queueID: 1) == nil)
    }

    @Test("The file has RocketMQ's form to the byte")
    func fileFormat() throws {
        var offsets = ConsumerOffsets()
        for (queueID, offset) in [(0, 0), (1, 0), (2, 0), (3, 1)] as [(Int32, Int64)] {
            _ = offsets.commit(TopicGroup(topic: "ReqTopic", group: "CG_facts"), queueID: queueID, offset: offset)
        }
        _ = offsets.commit(TopicGroup(topic: "%RETRY%CG_facts", group: "CG_facts"), queueID: 0, offset: 3)
        let expected = """
            {
            \t"offsetTable":{
            \t\t"%RETRY%CG_facts@CG_facts":{0:3
            \t\t},
            \t\t"ReqTopic@CG_facts":{0:0,1:0,2:0,3:1
            \t\t}
            \t}
            }
            """
        #expect(String(buffer: offsets.text) == expected)
        #expect(try ConsumerOffsets(parsing: offsets.text) == offsets)
        #expect(ConsumerOffsets().text == ByteBuffer(bytes: Array("{\n\t\"offsetTable\":{}\n}".utf8)))
    }

    @Test("The answer to request 43 has RocketMQ's form; queue ids may have quotes")
    func answerFormat() throws {
        let text = #"{"offsetTable":{"TopicTest@CG_facts":{0:3,1:2,2:1,3:5}}}"#
        let offsets = try ConsumerOffsets(parsing: ByteBuffer(string: text))
        #expect(offsets.table == [TopicGroup(topic: "TopicTest", group: "CG_facts"): [0: 3, 1: 2, 2: 1, 3: 5]])
        #expect(String(buffer: offsets.encode()) == text)
        let quoted = #"{"offsetTable":{"TopicTest@CG_facts":{"0":3,"1":2,"2":1,"3":5}}}"#
        #expect(try ConsumerOffsets(parsing: ByteBuffer(string: quoted)) == offsets)
    }

    @Test("Entries that are not topic@group with numbers are left out")
    func tolerance() throws {
        let text = #"{"offsetTable":{"a":{0:1},"a@b@c":{0:1},"@b":{0:1},"T@G":{"0":7,"x":1,99999999999:2}}}"#
        let offsets = try ConsumerOffsets(parsing: ByteBuffer(string: text))
        #expect(offsets.table == [TopicGroup(topic: "T", group: "G"): [0: 7]])
    }

    @Test("What is ahead of its queue is taken back, of users' groups only")
    func limit() {
        var offsets = ConsumerOffsets()
        let system = TopicGroup(topic: "Orders", group: GroupName.transactionCheck)
        for pair in [orders, system] { _ = offsets.commit(pair, queueID: 0, offset: 9) }
        _ = offsets.commit(orders, queueID: 1, offset: 9)
        _ = offsets.commit(orders, queueID: 2, offset: 3)
        #expect(offsets.limit { _, queueID in queueID == 1 ? 0 : 7 })
        #expect(offsets.offsets(orders) == [0: 7, 1: 0, 2: 3])
        #expect(offsets.offset(system, queueID: 0) == 9)
        #expect(!offsets.limit { _, queueID in queueID == 1 ? 0 : 7 })
    }

    @Test("The table has a limit over all queues, and what is in it can still be moved")
    func totalLimit() {
        var offsets = ConsumerOffsets(maximumCount: 3)
        for id in 0..<3 as Range<Int32> { #expect(offsets.commit(orders, queueID: id, offset: 5) == true) }
        let other = TopicGroup(topic: "Other", group: "G")
        #expect(!offsets.hasRoom(for: other, queueID: 0))
        #expect(offsets.commit(other, queueID: 0, offset: 1) == false)
        #expect(offsets.commit(orders, queueID: 3, offset: 1) == false)
        #expect(offsets.commit(orders, queueID: 2, offset: 6) == true)
        #expect(offsets.clone(from: "G", to: "H", topic: "Orders") == false)
        #expect(offsets.remove(topic: "Orders") == true)
        #expect(offsets.commit(other, queueID: 0, offset: 1) == true)
        #expect(offsets.count == 1)
    }

    @Test("Topics by group, found in one pass")
    func topicsByGroup() {
        var offsets = ConsumerOffsets()
        for (topic, group) in [("A", "G"), ("B", "G"), ("A", "H")] {
            _ = offsets.commit(TopicGroup(topic: topic, group: group), queueID: 0, offset: 1)
        }
        #expect(offsets.topicsByGroup().mapValues { $0.sorted() } == ["G": ["A", "B"], "H": ["A"]])
    }

    @Test("Removal and cloning")
    func removalAndClone() {
        var offsets = ConsumerOffsets()
        _ = offsets.commit(orders, queueID: 0, offset: 5)
        _ = offsets.commit(TopicGroup(topic: "Other", group: "G"), queueID: 0, offset: 6)
        #expect(offsets.clone(from: "G", to: "H", topic: "Orders") == true)
        #expect(offsets.clone(from: "Nobody", to: "H", topic: "Orders") == false)
        #expect(offsets.groups(of: "Orders").sorted() == ["G", "H"])
        #expect(offsets.remove(group: "G") == true)
        #expect(offsets.remove(group: "G") == false)
        #expect(offsets.topics(of: "H") == ["Orders"])
        #expect(offsets.remove(topic: "Orders") == true)
        #expect(offsets.table.isEmpty)
    }
}

@Suite("The offset table")
struct OffsetTableTests {
    private let support = TableSupport()

    @Test("Written only when something changed, and read back")
    func persistence() async throws {
        let offsets = try support.offsets()
        try offsets.persist()
        #expect(try support.contents("consumerOffset.json") == nil)
        offsets.commit(group: "G", topic: "T", queueID: 2, offset: 9)
        try offsets.persist()
        #expect(try support.offsets().offset(group: "G", topic: "T", queueID: 2) == 9)
        let first = try support.contents("consumerOffset.json")
        offsets.commit(group: "G", topic: "T", queueID: 2, offset: 9)
        try support.device.remove("store/config/consumerOffset.json")
        try offsets.persist()
        #expect(try support.contents("consumerOffset.json") == nil)
        #expect(first?.contains("T@G") == true)
    }

    @Test("Every interval the changes are written")
    func interval() async throws {
        let offsets = try support.offsets()
        let loop = Task { await offsets.run() }
        await support.clock.waitForSleepers(count: 1)
        offsets.commit(group: "G", topic: "T", queueID: 0, offset: 1)
        support.clock.advance(by: .seconds(5))
        await support.clock.waitForSleepers(count: 1)
        try await offsets.persisted(on: support.eventLoop).get()
        #expect(try support.contents("consumerOffset.json")?.contains("T@G") == true)
        loop.cancel()
        await loop.value
    }

    @Test("What is taken back at a start is on disk before anything is stored, in the previous version too")
    func limitIsDurable() throws {
        let before = try support.offsets()
        before.commit(group: "G", topic: "T", queueID: 0, offset: 9)
        try before.persist()
        try support.offsets().limit { _, _ in 7 }
        for name in ["consumerOffset.json", "consumerOffset.json.bak"] {
            let text = try #require(try support.contents(name))
            let offsets = try ConsumerOffsets(parsing: ByteBuffer(string: text))
            #expect(offsets.offset(TopicGroup(topic: "T", group: "G"), queueID: 0) == 7)
        }
    }

    @Test("A group that is ahead of a log that was wiped sees the first message that comes")
    func wipedLog() async throws {
        try await LiveBroker.withDirectory { directory in
            try await LiveBroker.with(in: directory) { broker in
                let client = FakeClient("p", of: broker)
                for _ in 0..<3 { try await client.send("x", to: "T") }
                await client.close()
                broker.service.broker.offsets.commit(group: "G", topic: "T", queueID: 0, offset: 3)
                broker.service.broker.offsets.commit(group: "G", topic: "Gone", queueID: 0, offset: 9)
            }
            let files = FileManager.default
            for name in try files.contentsOfDirectory(atPath: directory.path) where name != "config" {
                try files.removeItem(at: directory.appending(path: name))
            }
            try await LiveBroker.with(in: directory) { broker in
                let offsets = broker.service.broker.offsets
                #expect(offsets.offset(group: "G", topic: "T", queueID: 0) == 0)
                #expect(offsets.offset(group: "G", topic: "Gone", queueID: 0) == 0)
            }
        }
    }
}
