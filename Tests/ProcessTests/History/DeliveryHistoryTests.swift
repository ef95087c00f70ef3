import MQProtocol
import NIOCore
import Testing

/// The check that all crash tests rely on notices what it is there for.
@Suite("The history's check")
struct DeliveryHistoryTests {
    private let queue = QueueName("T", 0)
    private var history = DeliveryHistory()
    private var contents: StoreContents = [:]

    init() {
        for number in Int64(1)...5 {
            history.send(number, to: queue, by: 7)
            history.acknowledge(number, at: Place(queue: queue, offset: number - 1))
            contents[queue, default: []].append(Self.found(number, at: number - 1))
        }
    }

    private static func found(_ number: Int64, at offset: Int64) -> FoundMessage {
        FoundMessage(
            place: Place(queue: QueueName("T", 0), offset: offset), body: Payload.body(number),
            keys: Payload.key(number), logOffset: offset * 100, totalBytes: 100)
    }

    @Test("accepts what was acknowledged")
    func accepts() {
        #expect(history.violations(in: contents) == [])
    }

    @Test("finds a lost message")
    mutating func loss() {
        contents[queue]?.removeLast()
        #expect(history.violations(in: contents) == ["message 5 was acknowledged at T/0@4, but nothing is there"])
    }

    @Test("finds a lost message whose place was given to another one")
    mutating func reuse() {
        history.send(6, to: queue, by: 8)
        contents[queue]?[4] = Self.found(6, at: 4)
        #expect(history.violations(in: contents) == ["message 5 was acknowledged at T/0@4, but message 6 is there"])
        history.acknowledge(6, at: Place(queue: queue, offset: 4))
        #expect(history.violations(in: contents).contains("messages 5 and 6 were both acknowledged at T/0@4"))
    }

    @Test("finds an altered body, an altered key and a message that nobody sent")
    mutating func alteration() {
        contents[queue]?[1].body.setInteger(UInt8(1), at: 0)
        contents[queue]?[2].body.setInteger(UInt8(0xAA), at: 7 + 1)
        contents[queue]?[3].keys = nil
        let findings = history.violations(in: contents)
        #expect(findings.contains("T/0@1: this message was never sent"))
        #expect(findings.contains("T/0@2: message 3 is altered"))
        #expect(findings.contains("T/0@3: the key of 4 is altered"))
    }

    @Test("finds a gap, a message that is there twice, and messages in the wrong order")
    mutating func order() {
        contents[queue]?.append(Self.found(1, at: 6))
        let findings = history.violations(in: contents)
        #expect(findings.contains("T/0: offset 6 is where offset 5 should be"))
        #expect(findings.contains("message 1 is at T/0@0 and at T/0@6"))
        #expect(findings.contains("T/0: message 1 is behind 5 of the same sender"))
    }
}
