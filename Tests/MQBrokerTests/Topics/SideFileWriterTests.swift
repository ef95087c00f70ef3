import MQProtocol
import MQStore
import NIOCore
import Synchronization
import Testing

@testable import MQBroker

@Suite("Writing side files")
struct SideFileWriterTests {
    private let support = TableSupport()

    private func writer(_ text: @escaping @Sendable () -> String) -> SideFileWriter {
        SideFileWriter(file: support.file("x.json"), time: .manual(support.clock), logger: support.logger) {
            ByteBuffer(string: text())
        }
    }

    @Test("A failed write fails who waits for it; the next one brings everything")
    func failure() async throws {
        let value = Value()
        let writer = writer { value.text }
        support.device.fail(.write, permanently: true)
        writer.changed()
        await #expect(throws: StoreError.self) { try await writer.persisted(on: support.eventLoop).get() }
        support.device.clearFaults()
        value.set("two")
        try await writer.persisted(on: support.eventLoop).get()
        #expect(try support.contents("x.json") == "two")
    }

    @Test("A failed write is tried again after a pause, without a change")
    func retry() async throws {
        let (attempts, attempted) = AsyncStream.makeStream(of: Void.self)
        let writer = writer {
            attempted.yield()
            return "one"
        }
        support.device.fail(.write, permanently: true)
        writer.changed()
        await support.clock.waitForSleepers(count: 1)
        support.device.clearFaults()
        support.clock.advance(by: SideFileWriter.retryPause)
        var seen = attempts.makeAsyncIterator()
        for _ in 0..<2 { await seen.next() }
        // Waits for the write in progress, which leaves it nothing to do.
        try writer.flush()
        attempted.finish()
        #expect(await seen.next() == nil)
        #expect(try support.contents("x.json") == "one")
    }
}

private final class Value: Sendable {
    private let content = Mutex("one")
    var text: String { content.withLock { $0 } }
    func set(_ text: String) { content.withLock { $0 = text } }
}
