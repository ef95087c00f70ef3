import NIOCore
import Synchronization
import Testing

@testable import MQStore

@Suite struct ThreadTests {
    @Test func `A signal before the wait is kept, several count as one, and a wait may end without`() {
        let wakeup = Wakeup()
        wakeup.signal()
        wakeup.signal()
        wakeup.wait()
        #expect(wakeup.wait(timeout: .milliseconds(1)) == false)
        wakeup.signal()
        #expect(wakeup.wait(timeout: .seconds(3600)) == true)
    }

    @Test func `Two threads hand a turn to each other without losing one`() throws {
        let (ping, pong) = (Wakeup(), Wakeup())
        let turns = Atomic<Int>(0)
        let thread = StoreThread(name: "a name longer than the system keeps") {
            for _ in 0..<2000 {
                ping.wait()
                turns.add(1, ordering: .relaxed)
                pong.signal()
            }
        }
        try thread.start()
        for _ in 0..<2000 {
            ping.signal()
            pong.wait()
        }
        thread.join()
        thread.join()
        let count = turns.load(ordering: .relaxed)
        #expect(count == 2000)
    }

    #if os(Linux)
    @Test func `A thread shows its name to the system's tools, cut to fifteen bytes`() throws {
        let shown = Mutex("")
        let thread = StoreThread(name: "mq-name-that-is-long") {
            var text = ByteBuffer()
            _ = try? FileDevice().open("/proc/thread-self/comm", .readOnly).read(at: 0, count: 64, into: &text)
            shown.withLock { $0 = String(buffer: text) }
        }
        try thread.start()
        thread.join()
        #expect(shown.withLock { $0 } == "mq-name-that-is\n")
    }
    #endif

    @Test func `A closed gate holds who comes until it is opened`() throws {
        let gate = Gate()
        gate.waitUntilOpen()
        gate.close()
        let passed = Atomic<Bool>(false)
        let thread = StoreThread(name: "gate") {
            gate.waitUntilOpen()
            passed.store(true, ordering: .releasing)
        }
        try thread.start()
        let early = passed.load(ordering: .acquiring)
        #expect(!early)
        gate.open()
        thread.join()
        let late = passed.load(ordering: .acquiring)
        #expect(late)
    }
}
