import MQProtocol
import NIOCore
import ProcessSupport
import Testing

extension ProcessTests {
    @Suite("Peers that are slow or silent")
    struct SlowPeerTests {
        @Test("frames that come byte by byte are answered", .timeLimit(.minutes(1)), arguments: Victim.Kind.allCases)
        func slowFrames(kind: Victim.Kind) async throws {
            let frames = HostileFrames.valid(.json) + HostileFrames.valid(.binary)
            let wanted: RequestCode = kind == .broker ? .updateConsumerOffset : .getRouteInfoByTopic
            let slow = try frames.filter { bytes in
                var decoder = FrameDecoder()
                var copy = bytes
                return try decoder.next(from: &copy)?.requestCode == wanted
            }
            #expect(slow.count == 2)
            try await Victim.with(kind) { victim in
                try await victim.endure("a byte at a time") {
                    try await withThrowingTaskGroup(of: Void.self) { group in
                        for index in 0..<20 {
                            group.addTask {
                                let answer = try await RawPeer.drip(slow[index % 2], to: victim.address)
                                #expect(answer != nil)
                                #expect(answer?.isResponse == true)
                            }
                        }
                        try await group.waitForAll()
                    }
                }
            }
        }

        @Test("500 half-open connections", .timeLimit(.minutes(1)), arguments: Victim.Kind.allCases)
        func halfOpen(kind: Victim.Kind) async throws {
            try await Victim.with(kind) { victim in
                let before = ProcessProbe(victim.process).anonymousBytes()
                try await RawPeer.withHalfOpen(500, to: victim.address) {
                    try await victim.endure("500 half-open connections") {
                        for _ in 0..<200 { try await victim.roundTrip() }
                    }
                    if let before, let after = ProcessProbe(victim.process).anonymousBytes() {
                        let each = (after - before) / 500
                        print("\(kind.rawValue): \(each) bytes of memory for each half-open connection")
                        #expect(each < 64 * 1024)
                    }
                }
            }
        }
    }
}
