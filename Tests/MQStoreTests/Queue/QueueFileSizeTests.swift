import MQProtocol
import NIOCore
import Testing

@testable import MQStore

/// A consume-queue file of another length than configured is refused: read with the wrong length, entries would vanish.
@Suite struct QueueFileSizeTests {
    /// 75 messages in files of 50 entries: 1000 bytes.
    private func closedStore() throws -> StoreFixture {
        let fixture = StoreFixture(queueSegmentEntries: 50)
        let store = try fixture.open()
        for number in 0..<75 { try store.put("Topic", 0, body: "m\(number)") }
        try store.put("Short", 0, body: "s")
        store.dispatchPending()
        try store.close()
        return fixture
    }

    private func refusal(_ fixture: StoreFixture) throws -> StoreError {
        try #require(throws: StoreError.self) { _ = try fixture.open() }
    }

    @Test(arguments: [25, 20, 75, 100])
    func anotherSizeIsRefusedAndChangesNothing(entries: Int) throws {
        var fixture = try closedStore()
        let before = try fixture.tree("/store/consumequeue")
        fixture.configuration.queueSegmentEntries = entries
        let error = try refusal(fixture)
        #expect(error.code == .corrupt)
        #expect(error.message.contains("mappedFileSizeConsumeQueue"))
        #expect(error.message.contains("1000") && error.message.contains("\(20 * entries)"))
        #expect(try fixture.tree("/store/consumequeue") == before)
        fixture.configuration.queueSegmentEntries = 50
        let store = try fixture.open()
        #expect(store.pull("Topic", from: 74) == ["m74"])
        #expect(store.maximumOffset(of: store.queue("Topic", 0)).rawValue == 75)
    }

    @Test func aShortFileIsRefusedAfterACleanStop() throws {
        let fixture = try closedStore()
        try fixture.device.open("/store/consumequeue/Short/0/00000000000000000000", .readWrite).setLength(20)
        #expect(try refusal(fixture).message.contains("has 20 bytes instead of 1000"))
    }

    @Test func aNameBetweenTheFilesIsRefused() throws {
        let fixture = try closedStore()
        _ = try fixture.device.open("/store/consumequeue/Short/0/00000000000000000500", .create)
        #expect(try refusal(fixture).message.contains("no multiple"))
        try fixture.device.open("/store/abort", .create).flush()
        #expect(try refusal(fixture).message.contains("no multiple"), "no crash makes such a name")
    }

    @Test func aShortTailIsLengthenedAfterACrash() throws {
        let fixture = try closedStore()
        let path = "/store/consumequeue/Topic/0/00000000000000001000"
        try fixture.device.open(path, .readWrite).setLength(20)
        try fixture.device.open("/store/abort", .create).flush()
        let store = try fixture.open()
        #expect(store.pull("Topic", from: 74) == ["m74"])
        #expect(try fixture.device.entry(path)?.length == 1000)
    }

    @Test func aLongFileIsRefusedAfterACrashToo() throws {
        var fixture = try closedStore()
        try fixture.device.open("/store/abort", .create).flush()
        fixture.configuration.queueSegmentEntries = 25
        #expect(try refusal(fixture).code == .corrupt)
    }
}
