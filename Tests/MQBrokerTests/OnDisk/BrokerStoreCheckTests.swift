import Foundation
import MQProtocol
import MQStore
import NIOCore
import Testing

@testable import MQBroker

@Suite("What a broker's files say of its store", .timeLimit(.minutes(1)))
struct BrokerStoreCheckTests {
    private func verify(_ directory: URL) throws -> VerifyReport {
        var configuration = StoreConfiguration(directory: directory.path)
        // Those of the live broker; one file alone does not show them.
        configuration.segmentBytes = 1 << 20
        configuration.queueSegmentEntries = 1000
        configuration.indexSlots = 100
        configuration.indexEntries = 400
        var report = try StoreVerifier(configuration, device: FileDevice(), sideFiles: BrokerStoreCheck.sideFiles)
            .run(isKnownTopic: BrokerStoreCheck.isKnownTopic)
        report.add(BrokerStoreCheck.findings(report, root: directory.path))
        return report
    }

    private func write(_ text: String, _ name: String, _ directory: URL) throws {
        for end in ["", ".bak"] {
            try Data(text.utf8).write(to: directory.appending(path: "config/\(name)\(end)"))
        }
    }

    /// A closed store with one message, whose consumers are behind it.
    private func withStore(_ body: (URL) throws -> Void) async throws {
        try await LiveBroker.withDirectory { directory in
            try await LiveBroker.with(in: directory) { broker in
                let client = FakeClient("p", of: broker)
                try await client.send("m", to: "T", properties: [PropertyName.keys: "K"])
                _ = try await client.request(
                    .updateConsumerOffset,
                    [("consumerGroup", "G"), ("topic", "T"), ("queueId", "0"), ("commitOffset", "1")])
                await client.close()
            }
            #expect(try verify(directory).findings == [])
            try body(directory)
        }
    }

    @Test(
        "Positions beyond the end of their queue are noted",
        arguments: [
            ("consumerOffset.json", #"{"offsetTable":{"T@G":{0:2}}}"#, "G is at 2 of queue 0 of T, which ends at 1"),
            ("delayOffset.json", #"{"offsetTable":{3:7}}"#, "delay level 3 is at 7, its queue ends at 0"),
            ("timerWatermark.json", #"{"dueUpTo":1,"queueEnd":4}"#, "timers are armed up to 4, their queue ends at 0"),
        ])
    func positions(file: String, text: String, cause: String) async throws {
        try await withStore { directory in
            try write(text, file, directory)
            let report = try verify(directory)
            #expect(report.findings.map(\.cause) == [cause])
            #expect(report.damage == [])
        }
    }

    @Test(
        "A flipped digit is damage where the broker would not use it, and noted where it would",
        arguments: [("consumerOffset.json", true), ("topics.json", false)])
    func flipped(file: String, isDamage: Bool) async throws {
        try await withStore { directory in
            let path = directory.appending(path: "config/\(file)")
            var text = try Data(contentsOf: path)
            let digit = try #require(text.firstIndex { (0x30...0x39).contains($0) })
            text[digit] ^= 1
            try text.write(to: path)
            let found = try #require(try verify(directory).findings.first)
            #expect(found.path == path.path && found.kind == .sideFile)
            #expect(found.severity == (isDamage ? .damage : .note))
            #expect(found.cause.contains("its checksum is"))
        }
    }

    @Test(
        "A file that the broker could not load is a loss when its previous version is none",
        arguments: [
            "topics.json", "subscriptionGroup.json", "consumerOffset.json", "delayOffset.json", "timerWatermark.json",
            "transactionChecks.json",
        ])
    func unreadable(file: String) async throws {
        try await withStore { directory in
            try write("{\"torn", file, directory)
            let found = try verify(directory).damage
            #expect(found.map(\.path) == ["", ".bak"].map { directory.appending(path: "config/\(file)\($0)").path })
            #expect(found.allSatisfy { $0.kind == .sideFile && $0.severity == .loss && $0.step == nil })
        }
    }
}
