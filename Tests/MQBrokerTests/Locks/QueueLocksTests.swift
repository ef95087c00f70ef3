import MQProtocol
import Testing

@testable import MQBroker

@Suite("Queue locks")
struct QueueLocksTests {
    private let queues = (0..<3).map { LockedQueue(topic: "T", queueID: $0) }

    private func at(_ seconds: Int64) -> Timestamp { Timestamp(milliseconds: seconds * 1000) }

    @Test("A queue is its holder's until it expires")
    func trace() {
        var locks = QueueLocks(lifetime: .seconds(60))
        #expect(locks.lock(queues, group: "G", clientID: "a", now: at(0)) == queues)
        #expect(locks.lock(queues, group: "G", clientID: "b", now: at(30)) == [])
        #expect(locks.lock([queues[0]], group: "G", clientID: "a", now: at(40)) == [queues[0]])
        #expect(locks.lock(queues, group: "G", clientID: "b", now: at(60)) == [])
        #expect(locks.lock(queues, group: "G", clientID: "b", now: at(61)) == [queues[1], queues[2]])
        #expect(locks.lock(queues, group: "G", clientID: "b", now: at(101)) == queues)
    }

    @Test("Groups do not disturb each other")
    func groups() {
        var locks = QueueLocks(lifetime: .seconds(60))
        #expect(locks.lock(queues, group: "G", clientID: "a", now: at(0)) == queues)
        #expect(locks.lock(queues, group: "H", clientID: "b", now: at(0)) == queues)
    }

    @Test("Only the holder can give a lock up")
    func unlock() {
        var locks = QueueLocks(lifetime: .seconds(60))
        _ = locks.lock(queues, group: "G", clientID: "a", now: at(0))
        locks.unlock(queues, group: "G", clientID: "b")
        #expect(locks.lock(queues, group: "G", clientID: "b", now: at(1)) == [])
        locks.unlock([queues[1]], group: "G", clientID: "a")
        #expect(locks.lock(queues, group: "G", clientID: "b", now: at(1)) == [queues[1]])
    }

    @Test("A client that is gone holds nothing; what expired costs no memory")
    func releaseAndExpire() {
        var locks = QueueLocks(lifetime: .seconds(60))
        _ = locks.lock(queues, group: "G", clientID: "a", now: at(0))
        _ = locks.lock(queues, group: "H", clientID: "a", now: at(50))
        locks.release(group: "G", clientID: "b")
        #expect(locks.count == 6)
        locks.release(group: "G", clientID: "a")
        #expect(locks.count == 3)
        locks.expire(now: at(110))
        #expect(locks.count == 3)
        locks.expire(now: at(111))
        #expect(locks.count == 0)
    }
}
