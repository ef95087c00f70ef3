@testable import MQClient
import MQProtocol
import Testing

/// Expected shares were worked out by hand from the rules of RocketMQ's strategies.
@Suite struct AllocationTests {
    private static func queues(_ count: Int32, broker: String = "b") -> [MessageQueue] {
        (0..<count).map { MessageQueue(topic: "T", brokerName: broker, queueID: $0) }
    }

    private static func shares(
        _ strategy: AllocationStrategy, _ queues: [MessageQueue], _ members: [String]
    ) -> [[Int32]] {
        members.map { strategy.share(of: $0, among: members.shuffled(), queues: queues.shuffled()).map(\.queueID) }
    }

    @Test(
        "AVG gives neighbours, the first members one more",
        arguments: [
            (8, 1, [[0, 1, 2, 3, 4, 5, 6, 7]]),
            (8, 2, [[0, 1, 2, 3], [4, 5, 6, 7]]),
            (8, 3, [[0, 1, 2], [3, 4, 5], [6, 7]]),
            (8, 5, [[0, 1], [2, 3], [4, 5], [6], [7]]),
            (4, 4, [[0], [1], [2], [3]]),
            (2, 3, [[0], [1], []]),
            (0, 2, [[], []]),
        ] as [(Int32, Int, [[Int32]])])
    func average(queues: Int32, members: Int, expected: [[Int32]]) {
        let members = (0..<members).map { "10.0.0.\($0)@1" }
        #expect(Self.shares(.average, Self.queues(queues), members) == expected)
    }

    @Test("AVG_BY_CIRCLE gives one to each in turn")
    func circle() {
        let members = ["a", "b", "c"]
        #expect(Self.shares(.averageByCircle, Self.queues(8), members) == [[0, 3, 6], [1, 4, 7], [2, 5]])
        #expect(Self.shares(.averageByCircle, Self.queues(2), members) == [[0], [1], []])
    }

    @Test("Members are in order of their ids, queues in order of broker and number")
    func order() {
        let queues = Self.queues(2, broker: "b2") + Self.queues(2, broker: "b1")
        let first = AllocationStrategy.average.share(
            of: "10.0.0.10@1", among: ["10.0.0.9@1", "10.0.0.10@1"], queues: queues)
        #expect(first == Self.queues(2, broker: "b1"))
    }

    @Test("CONFIG gives what is configured and exists")
    func configured() {
        let queues = Self.queues(4)
        let wanted = [queues[3], queues[1], MessageQueue(topic: "U", brokerName: "b", queueID: 0)]
        let share = AllocationStrategy.configured(wanted).share(of: "x", among: [], queues: queues)
        #expect(share.map(\.queueID) == [1, 3])
    }

    @Test("CONSISTENT_HASH agrees with another implementation of the ring")
    func ring() {
        let members = ["192.168.0.1@11", "192.168.0.2@22", "192.168.0.3@33"]
        #expect(
            Self.shares(.consistentHash(virtualNodes: 10), Self.queues(16), members)
                == [[3, 6, 12], [1, 2, 5, 9, 10, 11, 15], [0, 4, 7, 8, 13, 14]])
    }

    @Test(
        "Who is not among the members gets nothing",
        arguments: [
            AllocationStrategy.average, .averageByCircle, .consistentHash(virtualNodes: 10),
        ])
    func stranger(strategy: AllocationStrategy) {
        #expect(strategy.share(of: "z", among: ["a", "b"], queues: Self.queues(4)).isEmpty)
    }

    @Test("Every queue has one owner, however many there are")
    func partition() {
        for count in 1...17 {
            for memberCount in 1...7 {
                let members = (0..<memberCount).map { "m\($0)" }
                for strategy in [AllocationStrategy.average, .averageByCircle, .consistentHash(virtualNodes: 5)] {
                    let all = Self.shares(strategy, Self.queues(Int32(count)), members).flatMap { $0 }
                    #expect(all.sorted() == Array(0..<Int32(count)))
                }
            }
        }
    }

    @Test("MD5 as RFC 1321 tests it")
    func digests() {
        #expect(MD5.prefix(of: "") == 0xD41D_8CD9)
        #expect(MD5.prefix(of: "abc") == 0x9001_5098)
        #expect(MD5.prefix(of: "abcdefghijklmnopqrstuvwxyz") == 0xC3FC_D3D7)
        let long = String(repeating: "1234567890", count: 8)
        #expect(
            MD5.digest(Array(long.utf8)).map(\.byteSwapped) == [0x57ED_F4A2, 0x2BE3_C955, 0xAC49_DA2E, 0x2107_B67A])
    }
}
