import MQProtocol
import TestSupport
import Testing

@testable import MQBroker

@Suite("What is written once the log is flushed")
struct DurableNoteTests {
    private func end(_ offset: Int64) -> LogOffset { LogOffset(rawValue: offset) }

    @Test("What is durable goes at once, and nothing waits")
    func durable() {
        var note = DurableNote<String>()
        #expect(note.take("a", restingOn: end(10), flushed: end(10)) == "a")
        #expect(!note.isWaiting)
    }

    @Test("A value waits for its own part of the log, whatever is appended meanwhile")
    func waits() {
        var note = DurableNote<String>()
        #expect(note.take("a", restingOn: end(10), flushed: end(9)) == nil)
        #expect(note.isWaiting)
        #expect(note.take("b", restingOn: end(20), flushed: end(9)) == nil)
        #expect(note.take("c", restingOn: end(30), flushed: end(10)) == "a")
        #expect(!note.isWaiting)
        #expect(note.take("d", restingOn: end(40), flushed: end(29)) == nil)
        #expect(note.take("e", restingOn: end(50), flushed: end(39)) == nil)
        #expect(note.take("f", restingOn: end(50), flushed: end(50)) == "f")
        #expect(!note.isWaiting)
    }

    @Test("Under steady load, with something always unflushed, each second look writes what the first one saw")
    func steadyLoad() {
        var generator = SeededGenerator(seed: TestSeed.current)
        var note = DurableNote<Int64>()
        var appended: Int64 = 0
        var ends: [Int64] = []
        for look in 0..<1000 {
            let flushed = appended
            appended += Int64.random(in: 1...100, using: &generator)
            ends.append(appended)
            let written = note.take(appended, restingOn: end(appended), flushed: end(flushed))
            #expect(written == (look % 2 == 0 ? nil : ends[look - 1]))
        }
    }
}
