import MQProtocol
import NIOCore
import TestSupport
import Testing

@testable import MQStore

/// The entries of a consume queue have no checksum.
@Suite struct DamagedEntryTests {
    @Test(
        "an entry that leads nowhere is skipped and reported, the others are served",
        arguments: [(4, 0x10), (0, 0x80), (0, 0x40), (8, 0x80), (8, 0x40), (11, 0xFF)])
    func isSkipped(position: Int, bits: UInt8) throws {
        let fixture = StoreFixture()
        var store: MessageStore? = try fixture.open()
        for body in ["a", "b", "c"] { try store?.put("T", body: body) }
        try store?.close()
        store = nil

        let path = "/store/consumequeue/T/0/00000000000000000000"
        let file = try fixture.device.open(path, .readWrite)
        var entry = ByteBuffer()
        _ = try file.read(at: QueueEntry.bytes, count: QueueEntry.bytes, into: &entry)
        let byte = try #require(entry.getInteger(at: position, as: UInt8.self))
        try file.write(ByteBuffer(bytes: [byte ^ bits]), at: QueueEntry.bytes + position)
        try file.flush()

        let reopened = try fixture.open()
        // One that claims to be long ends the pull before it, as a long message would.
        #expect(reopened.pull("T", from: 0).first == "a")
        #expect(reopened.pull("T", from: 1) == ["c"])
        #expect(!reopened.isOnDisk(reopened.queue("T", 0), at: QueueOffset(rawValue: 1)))
        #expect(!fixture.complaints.all.isEmpty)
        try reopened.close()
    }

    /// Behind the end there are zeros, and a search by halves finds what is there.
    @Test("a bit that flips behind the last entry hides no message", arguments: 0..<12, [false, true])
    func behindTheEnd(distance: Int, isClosed: Bool) throws {
        let fixture = StoreFixture(queueSegmentEntries: 16)
        let bodies = (0..<20).map { "m\($0)" }
        let store = try fixture.open()
        for body in bodies { try store.put("T", body: body) }
        store.dispatchPending()
        try store.saveCheckpoint()
        if isClosed { try store.close() } else { fixture.device.kill() }

        let position = (4 + distance) * QueueEntry.bytes + 9
        let file = try fixture.device.open("/store/consumequeue/T/0/00000000000000000320", .readWrite)
        try file.write(ByteBuffer(bytes: [0x10]), at: position)
        try file.flush()

        var served = bodies
        for round in 0..<3 {
            let again = try fixture.open()
            #expect(again.contents("T") == served, "start \(round)")
            try again.put("T", body: "new \(round)")
            served.append("new \(round)")
            again.dispatchPending()
            #expect(again.contents("T") == served, "start \(round)")
            try again.flushNow()
            fixture.device.kill()
        }
    }
}
