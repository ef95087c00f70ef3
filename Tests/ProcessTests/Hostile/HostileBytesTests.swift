import MQProtocol
import NIOCore
import ProcessSupport
import TestSupport
import Testing

extension ProcessTests {
    @Suite("Peers that send anything")
    struct HostileBytesTests {
        @Test("random bytes", .timeLimit(.minutes(1)), arguments: Victim.Kind.allCases)
        func randomBytes(kind: Victim.Kind) async throws {
            let seed = TestSeed.current
            try await Victim.with(kind) { victim in
                try await victim.endure("random bytes") {
                    try await Self.inParallel(200) { index in
                        var generator = SeededGenerator(seed: seed &+ UInt64(index))
                        let count = Int.random(in: 1...4000, using: &generator)
                        var bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
                        // Half of them begin like a frame that could come to an end.
                        if index % 2 == 0 { bytes.replaceSubrange(0..<0, with: [0, 0, UInt8(index % 8), 9, 0, 0]) }
                        try await RawPeer.talk(to: victim.address, [ByteBuffer(bytes: bytes)])
                    }
                }
            }
        }

        @Test("changed frames", .timeLimit(.minutes(1)), arguments: Victim.Kind.allCases)
        func mutants(kind: Victim.Kind) async throws {
            let seed = TestSeed.current
            let frames = HostileFrames.valid(.json) + HostileFrames.valid(.binary)
            try await Victim.with(kind) { victim in
                try await victim.endure("changed frames") {
                    try await Self.inParallel(300) { index in
                        var generator = SeededGenerator(seed: seed &+ UInt64(index))
                        let pieces = (0..<6).map { _ in HostileFrames.mutant(of: frames, using: &generator) }
                        try await RawPeer.talk(to: victim.address, pieces)
                    }
                }
            }
        }

        @Test("frames that are none close the connection", .timeLimit(.minutes(1)), arguments: Victim.Kind.allCases)
        func rejected(kind: Victim.Kind) async throws {
            try await Victim.with(kind) { victim in
                try await victim.endure("rejected frames") {
                    for frame in HostileFrames.rejected {
                        let answer = try await RawPeer.talk(to: victim.address, [frame.bytes], endsOutput: false)
                        // TLS sends an alert before it closes.
                        #expect(answer.readableBytes < 100, "\(frame.name)")
                    }
                }
            }
        }

        @Test("deep JSON in bodies", .timeLimit(.minutes(1)), arguments: Victim.Kind.allCases)
        func deepJSON(kind: Victim.Kind) async throws {
            let deep = [
                String(repeating: "[", count: 1_000_000),
                String(repeating: #"{"a":"#, count: 300_000),
                #"{"consumerDataSet":"# + String(repeating: "[", count: 500_000),
                #"{"mqSet":["# + String(repeating: "{", count: 500_000),
            ]
            let codes: [RequestCode] = [
                .heartbeat, .lockBatchMQ, .unlockBatchMQ, .checkClientConfig, .updateAndCreateSubscriptionGroup,
                .registerBroker, .queryDataVersion,
            ]
            let fields = [
                ("brokerName", "b"), ("brokerAddr", "127.0.0.1:1"), ("clusterName", "c"),
                ("haServerAddr", "127.0.0.1:2"),
                ("brokerId", "0"),
            ]
            try await Victim.with(kind) { victim in
                try await victim.endure("deep JSON") {
                    for body in deep {
                        for code in codes {
                            // A name server may leave an unknown code unanswered, so nobody waits for long.
                            _ = try? await victim.client.request(
                                code, fields, body: ByteBuffer(string: body), timeout: .milliseconds(300))
                        }
                    }
                }
            }
        }

        private static func inParallel(
            _ count: Int, _ body: @escaping @Sendable (Int) async throws -> Void
        ) async throws {
            try await withThrowingTaskGroup(of: Void.self) { group in
                for worker in 0..<8 {
                    group.addTask {
                        for index in stride(from: worker, to: count, by: 8) { try await body(index) }
                    }
                }
                try await group.waitForAll()
            }
        }
    }
}
