import MQProtocol
import NIOCore
import TestSupport
import Testing

@testable import MQStore

/// An index file that is gone takes its keys with it, and no other file tells of them.
@Suite struct MissingIndexFileTests {
    private static let count = 350

    /// Three full index files, and one that is being filled.
    private func filled(_ fixture: StoreFixture) throws -> MessageStore {
        let store = try fixture.open()
        for number in 0..<Self.count { try store.put("Topic", properties: "KEYS\u{1}k\(number)") }
        store.dispatchPending()
        store.keepHouse()
        #expect(try names(fixture).count == 4)
        return store
    }

    private func names(_ fixture: StoreFixture) throws -> [String] {
        try (fixture.device.list("/store/index") ?? []).map(\.name)
    }

    private func record(_ position: DispatchManifest.Position, _ fixture: StoreFixture) throws {
        try SideFile(device: fixture.device, path: "/store/escrow/position", logger: LogFixture.silent)
            .save(position.encode())
    }

    /// The messages that their keys do not find.
    private func unfound(_ store: MessageStore, from first: Int = 0) -> [Int] {
        store.dispatchPending()
        return (first..<Self.count).filter { number in
            let found = store.query(
                topic: "Topic", key: "k\(number)", maximum: 9, begin: .zero, end: Timestamp(milliseconds: .max))
            return found.records.count != 1
        }
    }

    @Test(arguments: 0..<3)
    func `After a crash a missing index file is noticed, and every key is found`(number: Int) throws {
        let fixture = StoreFixture()
        _ = try filled(fixture)
        let files = try names(fixture)
        fixture.device.kill()
        try fixture.device.remove("/store/index/\(files[number])")
        for start in 0..<2 {
            let store = try fixture.open()
            #expect(unfound(store) == [], "start \(start)")
            fixture.device.kill()
        }
        #expect(fixture.complaints.all.contains { $0.contains("has 2 files up to \(files[2]) where 3 were recorded") })
    }

    /// Of the start before the crash nothing is left but what it recorded before it looked at the files.
    @Test func `A start that is followed by a crash forgets no number of index files`() throws {
        let fixture = StoreFixture()
        _ = try filled(fixture)
        let files = try names(fixture)
        fixture.device.kill()
        _ = try fixture.open()
        #expect(try names(fixture) == Array(files.prefix(3)))
        fixture.device.kill()
        try fixture.device.remove("/store/index/\(files[1])")
        let again = try fixture.open()
        #expect(unfound(again) == [])
    }

    @Test func `A record of a version that did not count the index files is believed`() throws {
        let fixture = StoreFixture()
        let store = try filled(fixture)
        let files = try names(fixture)
        var position = try #require(try store.files.loadPosition())
        #expect(position.sealed == files[2] && position.sealedFiles == 3)
        position.sealedFiles = nil
        #expect(String(buffer: position.encode()).contains("\nsealed \(files[2])\n"), "as before")
        try record(position, fixture)
        fixture.device.kill()
        let again = try fixture.open()
        #expect(try names(fixture) == Array(files.prefix(3)))
        #expect(unfound(again) == [])
        #expect(fixture.complaints.all == [])
    }

    @Test(arguments: [false, true])
    func `Index files that expired are missed only when a crash comes before that is recorded`(
        isRecorded: Bool
    ) throws {
        let fixture = StoreFixture(segmentBytes: 1024)
        let store = try filled(fixture)
        try store.saveCheckpoint()
        let before = try #require(try store.files.loadPosition())
        fixture.clock.advance(by: .seconds(73 * 3600))
        store.deleteExpiredLog()
        for _ in 0..<3 {
            fixture.clock.advance(by: .seconds(11))
            store.keepHouse()
        }
        #expect(try names(fixture).count < 4)
        if !isRecorded { try record(before, fixture) }
        fixture.device.crash()
        let again = try fixture.open()
        let first = Int(again.minimumOffset(of: again.queue("Topic", 0)).rawValue)
        #expect(first > 0 && unfound(again, from: first) == [])
        let isBuiltAgain = fixture.complaints.all.contains { $0.contains("the index in /store/index has") }
        #expect(isBuiltAgain == !isRecorded)
    }

    @Test func `An index file that could not be deleted is deleted later`() throws {
        let fixture = StoreFixture()
        let store = try filled(fixture)
        let index = try #require(store.index)
        let files = try names(fixture)
        fixture.device.fail(.syncDirectory)
        #expect(throws: StoreError.self) { try index.removeFiles(below: store.appendedOffset) }
        #expect(index.sealed?.files == 3, "they may come back with a crash")
        try index.removeFiles(below: store.appendedOffset)
        #expect(index.sealed?.files == 0)
        #expect(try names(fixture) == Array(files.suffix(1)))
    }
}
