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

    /// Runs a store that neither sees nor changes our record, and stops it cleanly.
    private func asStockBroker(_ fixture: StoreFixture, _ body: (MessageStore) throws -> Void) throws {
        let record = try fixture.tree("/store/escrow")
        try fixture.removeTree("/store/escrow")
        let store = try fixture.open()
        try body(store)
        store.dispatchPending()
        try store.close()
        try fixture.removeTree("/store/escrow")
        try fixture.device.createDirectory("/store/escrow")
        for (name, bytes) in record {
            let file = try fixture.device.open("/store/escrow/\(name)", .create)
            try file.write(bytes, at: 0)
            try file.flush()
        }
        try fixture.device.syncDirectory("/store/escrow")
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
        try asStockBroker(fixture) { try $0.deleteQueues(ofTopic: "Topic") }
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

    @Test func aTopicDeletedAndCreatedAgainHasItsNewMessagesOnly() throws {
        let fixture = try closedStore()
        try asStockBroker(fixture) { store in
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
        try asStockBroker(fixture) { store in
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
}
