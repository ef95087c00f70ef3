import MQProtocol
import NIOCore
import Testing

@testable import MQStore

/// Log files that were cut short, or are of another size than is believed: what is good in them is never touched.
@Suite struct CutFileTests {
    private func verify(_ store: VerifyFixture, segmentBytes: Int) throws -> VerifyReport {
        var configuration = store.fixture.configuration
        configuration.segmentBytes = segmentBytes
        return try StoreVerifier(configuration, device: store.device).run()
    }

    private func repair(_ store: VerifyFixture, _ report: VerifyReport, segmentBytes: Int) throws {
        var configuration = store.fixture.configuration
        configuration.segmentBytes = segmentBytes
        try StoreRepair(
            configuration, device: store.device, time: .manual(store.fixture.clock), logger: LogFixture.silent
        ).run(report)
    }

    /// There is no room for a blank record behind the last one, where every record leaves some.
    @Test func aFileCutBehindItsLastRecordKeepsIt() throws {
        let store = try VerifyFixture()
        let before = try store.verify()
        let log = try store.fixture.tree("/store/commitlog")
        let last = try #require(try store.segments.last)
        try store.truncate(last, to: Int(before.logEnd.rawValue) % 16_384)
        let found = try store.verify()
        #expect(found.records == 300 && found.logEnd == before.logEnd)
        #expect(found.steps.first == .lengthen(path: last, to: 16_384))
        #expect(found.damage.map(\.kind) == [.wrongLength])
        try store.repair(found)
        #expect(try store.verify().findings == [])
        #expect(try store.fixture.tree("/store/commitlog") == log)
    }

    @Test func aFileCutInFrontOfItsLastRecordLosesNoOther() throws {
        let store = try VerifyFixture()
        var expected = try store.messages()
        let place = try store.place(ofBody: "body 299 ")
        try store.truncate(place.path, to: place.record)
        let found = try store.verify()
        #expect(found.records == 299)
        #expect(found.damage.contains { $0.kind == .shortLog && $0.severity == .loss })
        #expect(!found.steps.contains { if case .clearTail = $0 { true } else { false } })
        try store.repair(found)
        let after = try store.verify()
        #expect(after.damage == [] && after.records == 299)
        expected["Payments/3"]?.removeLast()
        #expect(try store.messages() == expected)
    }

    /// A size that is too large makes names impossible, one that is too small leaves the ends of files unread.
    @Test(arguments: [1 << 20, 8192])
    func aWrongSizeChangesNothing(segmentBytes: Int) throws {
        let store = try VerifyFixture()
        store.device.flipBit("/store/consumequeue/Payments/1/00000000000000000000", byte: 45, bit: 2)
        let before = try store.fixture.tree("/store")
        let found = try verify(store, segmentBytes: segmentBytes)
        #expect(found.damage.contains { $0.severity == .loss && $0.remedy.contains("-c") })
        #expect(found.steps == [])
        try repair(store, found, segmentBytes: segmentBytes)
        #expect(try store.fixture.tree("/store") == before)
    }

    /// Also when nothing is left of a file but the record that it begins with.
    @Test(arguments: [false, true])
    func aLogFileWithRecordsOfItsPlaceIsNotSetAside(isCut: Bool) throws {
        let store = try VerifyFixture()
        let files = try store.segments
        for path in files.dropLast() { try store.device.remove(path) }
        let last = try #require(files.last)
        if isCut {
            let bytes = try #require(try store.device.contents(of: last))
            let size = try #require(bytes.getInteger(at: 0, as: Int32.self))
            try store.truncate(last, to: Int(size))
        }
        let found = try verify(store, segmentBytes: 1 << 20)
        #expect(found.damage.contains { $0.kind == .strangeFile && $0.path == last && $0.severity == .loss })
        #expect(found.steps == [])
    }

    /// The second would begin where numbers end.
    @Test(arguments: ["00000000000000000100", "09223372036854759424"])
    func aFileWithoutRecordsOfItsPlaceGoesAside(name: String) throws {
        let store = try VerifyFixture()
        let path = "/store/commitlog/\(name)"
        try store.device.open(path, .create).write(ByteBuffer(string: "notes"), at: 0)
        let found = try store.verify()
        #expect(found.steps.contains(.setAside(path: path)))
        try store.repair(found)
        #expect(try store.verify().findings == [])
        #expect(try store.fixture.tree("/store/quarantine").keys.contains { $0.hasSuffix("commitlog/\(name)") })
    }
}
