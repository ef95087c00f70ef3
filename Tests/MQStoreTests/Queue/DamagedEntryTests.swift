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

    /// What the reader of one queue needs: an idle one, whose newest entries only a checkpoint holds.
    private func idleQueue(_ count: Int) throws -> (StoreFixture, any StorageFile) {
        let fixture = StoreFixture(queueSegmentEntries: 16)
        let store = try fixture.open()
        // The list of queues tells of their ends as they were when it was written: here, one.
        for number in 0..<count {
            try store.put("T", body: "m\(number)")
            store.dispatchPending()
            if number == 0 || number == count - 1 { try store.saveCheckpoint() }
        }
        fixture.device.kill()
        return (fixture, try fixture.device.open("/store/consumequeue/T/0/00000000000000000000", .readWrite))
    }

    private func change(_ file: any StorageFile, _ number: Int, _ change: (inout QueueEntry) -> Void) throws {
        var buffer = ByteBuffer()
        _ = try file.read(at: number * QueueEntry.bytes, count: QueueEntry.bytes, into: &buffer)
        var entry = try #require(buffer.entry(0))
        change(&entry)
        buffer.clear()
        buffer.writeEntry(entry)
        try file.write(buffer, at: number * QueueEntry.bytes)
        try file.flush()
    }

    /// Sign bits, and offsets above and below what is durable: the search by halves meets such an entry or does not.
    static let flips: [@Sendable (inout QueueEntry) -> Void] = [
        { $0.size |= .min }, { $0.logOffset = LogOffset(rawValue: $0.logOffset.rawValue | .min) },
        { $0.logOffset = LogOffset(rawValue: $0.logOffset.rawValue | 1 << 40) },
        { $0.logOffset = LogOffset(rawValue: $0.logOffset.rawValue | 1 << 9) },
        { $0.logOffset = LogOffset(rawValue: $0.logOffset.rawValue & ~(1 << 8)) },
    ]

    @Test("a flipped bit in an idle queue costs no other entry, nor gives a place twice", arguments: 0..<5, 1..<9)
    func inAnIdleQueue(flip: Int, number: Int) throws {
        let bodies = (0..<9).map { "m\($0)" }
        let (fixture, file) = try idleQueue(bodies.count)
        try change(file, number, Self.flips[flip])
        let again = try fixture.open()
        let queue = again.queue("T", 0)
        // One bit that lifts the last entry above what is durable makes it one that a crash left: it may go.
        let mayGo = number == bodies.count - 1 && flip == 2
        let end = again.maximumOffset(of: queue).rawValue
        #expect(end == 9 || mayGo && end == 8)
        let served = (0..<9).map { offset in again.pull("T", from: offset, count: 1).first }
        for (place, body) in bodies.enumerated() where place != number {
            #expect(served[place] == body, "place \(place) of \(served)")
        }
        #expect([bodies[number], bodies[min(number + 1, 8)], nil].contains(served[number]))
    }
}
