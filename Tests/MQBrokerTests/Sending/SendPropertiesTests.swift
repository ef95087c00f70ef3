import MQBroker
import MQProtocol
import NIOCore
import Testing

@Suite struct SendPropertiesTests {
    func withoutWait(_ text: String) -> String {
        var buffer = ByteBuffer(string: "unrelated" + text)
        buffer.moveReaderIndex(forwardBy: 9)
        SendProperties(buffer).removeWait(from: &buffer)
        return String(buffer: buffer)
    }

    @Test func whatMattersIsSeen() {
        let seen = SendProperties(ByteBuffer(string: "WAIT\u{1}false\u{2}TRAN_MSG\u{1}true\u{2}TAGS\u{1}t"))
        #expect(!seen.waits)
        #expect(seen.isHalf)
        #expect(SendProperties(ByteBuffer()).waits)
        #expect(!SendProperties(ByteBuffer(string: "TRAN_MSG\u{1}false")).isHalf)
    }

    @Test(arguments: [
        ("WAIT\u{1}true", ""),
        ("WAIT\u{1}true\u{2}TAGS\u{1}t", "TAGS\u{1}t"),
        ("TAGS\u{1}t\u{2}WAIT\u{1}true", "TAGS\u{1}t"),
        ("TAGS\u{1}t\u{2}WAIT\u{1}true\u{2}KEYS\u{1}k", "TAGS\u{1}t\u{2}KEYS\u{1}k"),
        ("TAGS\u{1}t\u{2}WAIT\u{1}true\u{2}", "TAGS\u{1}t"),
        ("TAGS\u{1}t", "TAGS\u{1}t"),
        ("WAITER\u{1}x", "WAITER\u{1}x"),
    ])
    func theWaitItemIsLeftOut(_ text: String, _ expected: String) {
        #expect(withoutWait(text) == expected)
    }
}

@Suite struct FlushWaitersTests {
    @Test func answersLeaveInLogOrderAsTheDiskFollows() {
        var waiters = FlushWaiters<String>()
        let deadline = Timestamp(milliseconds: 50)
        waiters.add("a", end: LogOffset(rawValue: 100), deadline: deadline)
        waiters.add("b", end: LogOffset(rawValue: 200), deadline: deadline)
        #expect(waiters.popFlushed(upTo: LogOffset(rawValue: 99)) == nil)
        #expect(waiters.popFlushed(upTo: LogOffset(rawValue: 100)) == "a")
        #expect(waiters.popFlushed(upTo: LogOffset(rawValue: 100)) == nil)
        #expect(waiters.popExpired(now: Timestamp(milliseconds: 49)) == nil)
        #expect(waiters.popExpired(now: deadline) == "b")
        #expect(waiters.isEmpty)
    }
}
