import MQProtocol
import NIOCore
import Testing

@testable import MQStore

/// The queue offset of a queue's first record has a flipped bit, and the queue is built again.
@Suite struct DamagedNumberTests {
    /// Bits of the number's highest byte overflow the names of files; the others would hide what follows.
    @Test(arguments: [(0, 6), (2, 5), (4, 1), (7, 5)])
    func theRestOfTheQueueIsReadable(byte: Int, bit: Int) throws {
        let fixture = StoreFixture()
        do {
            let store = try fixture.open()
            for number in 0..<20 { try store.put("T", body: "\(number)") }
            store.dispatchPending()
            try store.close()
        }
        fixture.device.flipBit("/store/commitlog/00000000000000000000", byte: RecordLayout.queueOffset + byte, bit: bit)
        try fixture.removeTree("/store/consumequeue")
        for _ in 0..<2 {
            let store = try fixture.open()
            let ref = store.queue("T", 0)
            let end = store.maximumOffset(of: ref)
            #expect(end.rawValue >= 20)
            let first = store.minimumOffset(of: ref).rawValue
            #expect(Array(store.pull("T", from: max(1, first)).prefix(19)) == (1..<20).map { "\($0)" })
            #expect(store.nextOffset(of: ref) == end)
            try store.put("T", body: "new")
            store.dispatchPending()
            #expect(store.pull("T", from: end.rawValue) == ["new"])
            try store.close()
        }
    }
}
