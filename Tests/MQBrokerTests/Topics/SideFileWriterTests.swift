import MQStore
import NIOCore
import Synchronization
import Testing

@testable import MQBroker

@Suite("Writing side files")
struct SideFileWriterTests {
    private let support = TableSupport()

    @Test("A failed write fails who waits for it; the next one brings everything")
    func failure() async throws {
        let value = Value()
        let writer = SideFileWriter(file: support.file("x.json"), logger: support.logger) {
            ByteBuffer(string: value.text)
        }
        support.device.fail(.write, permanently: true)
        writer.changed()
        await #expect(throws: StoreError.self) { try await writer.persisted(on: support.eventLoop).get() }
        support.device.clearFaults()
        value.set("two")
        try await writer.persisted(on: support.eventLoop).get()
        #expect(try support.contents("x.json") == "two")
    }
}

private final class Value: Sendable {
    private let content = Mutex("one")
    var text: String { content.withLock { $0 } }
    func set(_ text: String) { content.withLock { $0 = text } }
}
