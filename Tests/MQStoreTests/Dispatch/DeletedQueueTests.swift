import MQProtocol
import NIOCore
import TestSupport
import Testing

@testable import MQStore

/// What a stock broker deletes in our directory, without a word in our record of the queues.
@Suite struct DeletedQueueTests {
    /// Topic with 5 messages in two queues, Kept with one, closed.
    private func closedStore() throws -> StoreFixture {
        let fixture = StoreFixture()
        let store = try fixture.open()
        for number in 0..<5 { try store.put("Topic", Int32(number % 2), body: "old\(number)") }
        try store.put("Kept", 0, body: "kept")
        store.dispatchPending()
        try store.close()
        return fixture
    }

    private func rebuild(_ fixture: StoreFixture, listed: Set<String>) throws -> MessageStore {
        try fixture.removeTree("/store/consumequeue")
        return try fixture.open(listed: listed)
    }

    /// It names an offset behind the record's position, as the first entry of a queue that was begun again would.
    @Test func aDamagedFirstEntryIsNoDeletion() throws {
        let fixture = try closedStore()
        let store = try fixture.open(listed: ["Kept", "Topic"])
        try store.put("Kept", 0, body: "more")
        store.dispatchPending()
        try store.flushNow()
        fixture.device.kill()
        let path = "/store/consumequeue/Topic/1/00000000000000000000"
        let file = try fixture.device.open(path, .readWrite)
        try file.write(ByteBuffer(bytes: [1]), at: 3)
        try file.flush()
        let again = try fixture.open(listed: ["Kept", "Topic"])
        #expect(again.pull("Topic", 0, from: 0) == ["old0", "old2", "old4"])
        #expect(again.maximumOffset(of: again.queue("Topic", 1)).rawValue == 2)
        try again.close()
    }

    @Test func aDeletedTopicStaysDeleted() throws {
        let fixture = try closedStore()
        try fixture.asStockBroker { try $0.deleteQueues(ofTopic: "Topic") }
        let store = try fixture.open(listed: ["Kept"])
        #expect(store.maximumOffset(of: store.queue("Topic", 0)) == .zero)
        #expect(store.pull("Kept", from: 0) == ["kept"])
        #expect(!fixture.complaints.all.contains { $0.contains("rebuilt") })
        #expect(try store.put("Topic", 0, body: "new").queueOffset == .zero, "a topic created again begins at 0")
        store.dispatchPending()
        try store.flushNow()
        fixture.device.kill()
        let again = try fixture.open(listed: ["Kept", "Topic"])
        #expect(again.pull("Topic", 0, from: 0) == ["new"] && again.pull("Topic", 1, from: 0) == [])
        try again.close()
        let rebuilt = try rebuild(fixture, listed: ["Kept", "Topic"])
        #expect(rebuilt.pull("Topic", 0, from: 0) == ["new"] && rebuilt.pull("Topic", 1, from: 0) == [])
    }

    @Test func aLostQueueOfATopicThatExistsIsRebuilt() throws {
        for listed in [["Kept", "Topic"], nil] as [Set<String>?] {
            let fixture = try closedStore()
            try fixture.removeTree("/store/consumequeue/Topic")
            let store = try fixture.open(listed: listed)
            #expect(store.pull("Topic", 0, from: 0) == ["old0", "old2", "old4"])
        }
    }

    @Test(arguments: [false, true])
    func aTopicDeletedAndCreatedAgainHasItsNewMessagesOnly(isKilled: Bool) throws {
        let fixture = try closedStore()
        try fixture.asStockBroker(isKilled: isKilled) { store in
            try store.deleteQueues(ofTopic: "Topic")
            try store.put("Topic", 0, body: "new")
        }
        let store = try fixture.open(listed: ["Kept", "Topic"])
        #expect(store.pull("Topic", 0, from: 0) == ["new"] && store.pull("Topic", 1, from: 0) == [])
        #expect(store.nextOffset(of: store.queue("Topic", 0)).rawValue == 1)
        #expect(store.nextOffset(of: store.queue("Topic", 1)) == .zero)
        try store.close()
        let rebuilt = try rebuild(fixture, listed: ["Kept", "Topic"])
        #expect(rebuilt.pull("Topic", 0, from: 0) == ["new"] && rebuilt.pull("Topic", 1, from: 0) == [])
    }

    @Test func whatWasWrittenAndDeletedMeanwhileDoesNotComeBack() throws {
        let fixture = try closedStore()
        try fixture.asStockBroker { store in
            for number in 0..<3 {
                try store.put("Topic", 0, body: "later\(number)")
                try store.put("Fleeting", 0)
            }
            try store.put("Kept", 0, body: "later")
            store.dispatchPending()
            try store.deleteQueues(except: { $0 == "Kept" })
        }
        let store = try fixture.open(listed: ["Kept"])
        #expect(store.pull("Kept", from: 0) == ["kept", "later"])
        for topic in ["Topic", "Fleeting"] {
            #expect(store.maximumOffset(of: store.queue(topic, 0)) == .zero)
            #expect(try store.put(topic, 0, body: "new").queueOffset == .zero)
        }
        store.dispatchPending()
        #expect(store.pull("Fleeting", from: 0) == ["new"])
    }

    @Test func aTopicWithFilesIsKeptThoughNobodyListsIt() throws {
        let fixture = try closedStore()
        let store = try fixture.open(listed: [])
        #expect(store.pull("Topic", 0, from: 0) == ["old0", "old2", "old4"])
    }

    /// The record does not list it.
    @Test(arguments: [false, true])
    func `A topic that came and was deleted behind our record has the messages of its last life only`(
        isKilled: Bool
    ) throws {
        let fixture = try closedStore()
        try fixture.asStockBroker(isKilled: isKilled) { store in
            for number in 0..<3 { try store.put("Late", Int32(number % 2), body: "old\(number)") }
            store.dispatchPending()
            try store.deleteQueues(ofTopic: "Late")
            try store.put("Late", 0, body: "new")
        }
        let store = try fixture.open(listed: ["Kept", "Late", "Topic"])
        #expect(store.pull("Late", 0, from: 0) == ["new"] && store.pull("Late", 1, from: 0) == [])
        #expect(store.pull("Topic", 0, from: 0) == ["old0", "old2", "old4"])
    }

    // MARK: Without our record

    private static let new = (0..<10).map { "new\($0)" }
    private static let kept = (0..<120).map { "kept\($0)" }
    /// The middle one of three.
    private static let keptFile = "/store/consumequeue/Kept/0/00000000000000001000"

    /// A stock broker's directory: Topic had messages in two queues, was deleted, and has 10 new ones in the first.
    private func begunAgain(isKilled: Bool) throws -> StoreFixture {
        let fixture = StoreFixture()
        let store = try fixture.open()
        for number in 0..<30 { try store.put("Topic", Int32(number % 2), body: "old\(number)") }
        for body in Self.kept { try store.put("Kept", body: body) }
        store.dispatchPending()
        try store.deleteQueues(ofTopic: "Topic")
        for body in Self.new { try store.put("Topic", body: body) }
        store.dispatchPending()
        if isKilled { try fixture.kill(store) } else { try store.close() }
        try fixture.removeTree("/store/escrow")
        return fixture
    }

    private func expectNewLife(_ store: MessageStore, _ note: Comment) {
        #expect(store.contents("Topic") == Self.new, note)
        #expect(store.pull("Topic", 1, from: 0) == [], note)
        #expect(store.nextOffset(of: store.queue("Topic", 0)).rawValue == 10, note)
        #expect(store.nextOffset(of: store.queue("Topic", 1)) == .zero, note)
        #expect(store.contents("Kept") == Self.kept, note)
    }

    @Test func `A topic that a killed stock broker deleted and began again has its new messages only`() throws {
        let fixture = try begunAgain(isKilled: true)
        for round in 0..<3 {
            let store = try fixture.open(listed: ["Kept", "Topic"])
            expectNewLife(store, "start \(round)")
            fixture.device.kill()
        }
        let rebuilt = try rebuild(fixture, listed: ["Kept", "Topic"])
        expectNewLife(rebuilt, "without queue files")
    }

    /// The first start dies before, while or after it records what it found.
    @Test func `Its new messages survive a start that dies`() throws {
        for calls in 0..<30 {
            let fixture = try begunAgain(isKilled: true)
            fixture.device.fail(calls % 2 == 0 ? .write : .remove, after: calls / 2, permanently: true)
            _ = try? fixture.open(listed: ["Kept", "Topic"])
            fixture.device.clearFaults()
            fixture.device.kill()
            expectNewLife(try fixture.open(listed: ["Kept", "Topic"]), "died at \(calls)")
        }
    }

    @Test(arguments: [false, true])
    func `The old life does not come back when a lost file of another queue has all of them built again`(
        isRepaired: Bool
    ) throws {
        let fixture = try begunAgain(isKilled: false)
        try fixture.device.remove(Self.keptFile)
        if isRepaired {
            let report = try StoreVerifier(fixture.configuration, device: fixture.device).run()
            fixture.clock.advance(by: .seconds(1))
            try StoreRepair(
                fixture.configuration, device: fixture.device, time: .manual(fixture.clock),
                logger: LogFixture.silent
            ).run(report)
        }
        let store = try fixture.open(listed: ["Kept", "Topic"])
        #expect(isRepaired || fixture.complaints.all.contains { $0.contains("rebuilt from the whole log") })
        expectNewLife(store, "repaired: \(isRepaired)")
    }

    @Test func `A queue that lost its files comes back whole, though another one of its topic began later`() throws {
        let fixture = StoreFixture()
        let store = try fixture.open()
        for number in 0..<6 { try store.put("Topic", Int32(number / 3), body: "m\(number)") }
        for body in Self.kept { try store.put("Kept", body: body) }
        try store.close()
        for directory in ["escrow", "consumequeue/Topic/0"] { try fixture.removeTree("/store/\(directory)") }
        try fixture.device.remove(Self.keptFile)
        let again = try fixture.open()
        #expect(again.pull("Topic", 0, from: 0) == ["m0", "m1", "m2"])
        #expect(again.pull("Topic", 1, from: 0) == ["m3", "m4", "m5"])
        #expect(again.contents("Kept") == Self.kept)
    }

    /// A deletion was interrupted, or somebody removed a directory.
    @Test func `A queue that goes on keeps its messages when another one of its topic has begun again`() throws {
        let fixture = StoreFixture()
        let store = try fixture.open()
        for number in 0..<6 { try store.put("Topic", Int32(number % 2), body: "m\(number)") }
        try store.close()
        for directory in ["escrow", "consumequeue/Topic/0"] { try fixture.removeTree("/store/\(directory)") }
        let stock = try fixture.open()
        #expect(try stock.put("Topic", 0, body: "new").queueOffset == .zero)
        try stock.put("Topic", 1, body: "more")
        stock.dispatchPending()
        try fixture.kill(stock)
        try fixture.removeTree("/store/escrow")
        let again = try fixture.open()
        #expect(again.pull("Topic", 0, from: 0) == ["new"])
        #expect(again.pull("Topic", 1, from: 0) == ["m1", "m3", "m5", "more"])
    }

    @Test func `A list of queues that is newer than the position forgets no topic that has older messages`() throws {
        let fixture = StoreFixture()
        let store = try fixture.open()
        try store.put("Topic", 0, body: "old")
        store.dispatchPending()
        try store.flushNow()
        try store.saveCheckpoint()
        let position = try #require(try fixture.tree("/store/escrow")["position"])
        try store.put("Topic", 1, body: "first")
        store.dispatchPending()
        try store.flushNow()
        try store.saveCheckpoint()
        try fixture.kill(store)
        let file = try fixture.device.open("/store/escrow/position", .truncate)
        try file.write(position, at: 0)
        try file.flush()
        for _ in 0..<2 {
            let again = try fixture.open()
            #expect(again.pull("Topic", 0, from: 0) == ["old"])
            #expect(again.pull("Topic", 1, from: 0) == ["first"])
            try fixture.kill(again)
        }
    }
}
