import Foundation
import NIOCore
import ProcessSupport
import TestSupport
import Testing

extension ProcessTests {
    /// The last segment ends in the middle of a record: at some bytes of its last records here, at each of them in the
    /// store's own tests.
    @Suite("A torn tail")
    struct TornTailTests {
        private static let queues = (0..<2).map { QueueName("Torn", $0) }

        private enum Tear: CaseIterable {
            /// The rest of the file reads as zeros, as after a write that never happened.
            case zeros
            /// Something else stands behind the cut.
            case garbage

            /// Bytes of a record at which this can be noticed. RocketMQ's checksum covers the body, which begins at
            /// byte 88: other letters in the properties behind it are letters, and after a clean stop zeros are what
            /// was stored there.
            func range(in record: FoundMessage, afterKill: Bool) -> Int {
                self == .zeros && afterKill ? record.totalBytes : 88 + record.body.readableBytes
            }
        }

        @Test("is cut, and everything before it is there", .timeLimit(.minutes(2)), arguments: [true, false])
        func opens(afterKill: Bool) async throws {
            var generator = SeededGenerator()
            let journal = Journal()
            try await TemporaryDirectory.with { directory in
                let original = directory + "/original"
                let contents = try await Self.fill(original, journal, afterKill: afterKill)
                let records = contents.values.joined().sorted { $0.logOffset < $1.logOffset }
                let end = try #require(records.last.map { $0.logOffset + Int64($0.totalBytes) })
                for sample in 0..<8 {
                    let record = records[records.count - 1 - sample % 3]
                    let tear = Tear.allCases[sample % 2]
                    let range = tear.range(in: record, afterKill: afterKill)
                    let cut = record.logOffset + Int64(Int.random(in: 0..<range, using: &generator))
                    let store = directory + "/store-\(sample)"
                    try FileManager.default.copyItem(atPath: original, toPath: store)
                    try Self.tear(store, from: cut, to: end, tear, using: &generator)
                    let surviving = records.filter { $0.logOffset + Int64($0.totalBytes) <= cut }
                    let what = "\(tear) from \(cut) of \(end)"
                    try await Self.verify(store, surviving: surviving, of: journal, afterKill: afterKill, what)
                    try FileManager.default.removeItem(atPath: store)
                }
            }
        }

        /// Fills a store beyond its first segment.
        private static func fill(_ store: String, _ journal: Journal, afterKill: Bool) async throws -> StoreContents {
            try await BrokerProcess.run(StoreSettings.options(store: store)) { broker in
                try await RawClient.with(broker.address) { client in
                    try await client.createTopic("Torn", queues: 2)
                    let load = Load(client: client, journal: journal, queues: queues, senders: 8, round: 0, seed: 7)
                    await load.run(acknowledgements: 1500, strike: nil)
                    let contents = try await client.readAll(queues)
                    if afterKill { broker.process.kill() }
                    return contents
                }
            }.value
        }

        private static func tear(
            _ store: String, from cut: Int64, to end: Int64, _ tear: Tear, using generator: inout SeededGenerator
        ) throws {
            let segment = Int64(StoreSettings.segmentBytes)
            let base = cut / segment * segment
            let digits = String(base)
            let file = store + "/commitlog/" + String(repeating: "0", count: 20 - digits.count) + digits
            let count = Int(min(end, base + segment) - cut)
            let bytes = (0..<count).map { _ in tear == .zeros ? 0 : UInt8.random(in: 0...255, using: &generator) }
            try StoreFiles.overwrite(file, at: Int(cut - base), with: bytes)
            // It says what was flushed: damage there is no torn tail, and what lies behind it is kept.
            try? FileManager.default.removeItem(atPath: store + "/escrow/flushed")
        }

        private static func verify(
            _ store: String, surviving: [FoundMessage], of journal: Journal, afterKill: Bool, _ what: String
        ) async throws {
            let options = StoreSettings.options(store: store)
            let ended = try await BrokerProcess.run(options) { broker in
                try await RawClient.with(broker.address) { client in
                    for queue in queues {
                        let expected = surviving.filter { $0.place.queue == queue }.map(\.place)
                            .sorted { $0.offset < $1.offset }
                        let found = try await client.readAll(queue).map(FoundMessage.init)
                        #expect(found.map(\.place) == expected, "\(queue), \(what)")
                        #expect(found.allSatisfy { $0.body == Payload.number(in: $0.body).map(Payload.body) })
                        let answer = try await client.send(Payload.message(-1, to: queue))
                        // After a clean stop everything was flushed: the places of lost messages are not given again.
                        let isNext = answer.queueOffset == Int64(expected.count)
                        #expect(isNext || !afterKill && answer.queueOffset > expected.count, "\(queue), \(what)")
                    }
                }
            }
            #expect(ended.exit == .code(0))
        }
    }
}
