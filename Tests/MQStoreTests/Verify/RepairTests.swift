import MQProtocol
import NIOCore
import Testing

@testable import MQStore

/// Each kind of damage to what is derived or kept twice: it is named, mended, and gone.
@Suite struct RepairTests {
    enum Damage: String, CaseIterable, Sendable {
        case tornTail, wholeRecordBehindTheEnd, strangeLogFile, shortLastSegment
        case queueEntry, queueEntryBehindTheEnd, shortQueueFile, missingQueueFile, missingFirstQueueFile, missingQueue
        case allQueues
        case indexEntry, indexSlot, indexHeader, shortIndex, missingIndexFile, allIndex
        case shortCheckpoint, missingCheckpoint, futureCheckpoint
        case position, queueList, sideFile, missingSideFile, sideFileOfZeros, backup

        var kind: StoreFinding.Kind {
            switch self {
            case .tornTail, .wholeRecordBehindTheEnd: .tornTail
            case .strangeLogFile: .strangeFile
            case .shortLastSegment: .wrongLength
            case .queueEntry, .queueEntryBehindTheEnd, .missingFirstQueueFile: .queueEntry
            case .shortQueueFile, .missingQueueFile: .queueFile
            case .missingQueue, .allQueues: .missingQueue
            case .indexEntry, .indexSlot, .indexHeader, .shortIndex, .missingIndexFile, .allIndex: .index
            case .shortCheckpoint, .missingCheckpoint, .futureCheckpoint: .checkpoint
            case .position, .queueList, .sideFile, .missingSideFile, .sideFileOfZeros, .backup: .sideFile
            }
        }
    }

    private static let queue = "/store/consumequeue/Payments/1"
    private static let queueFile = "\(queue)/00000000000000000000"

    private func plant(_ damage: Damage, in store: VerifyFixture, end: Int) throws -> String {
        let last = try #require(try store.segments.last)
        let index = try #require(try store.indexFiles.first)
        let inLast = end % store.fixture.configuration.segmentBytes
        switch damage {
        case .tornTail:
            try store.overwrite(last, at: inLast + 100, "torn")
            return last
        case .wholeRecordBehindTheEnd:
            let (path, record, body) = try store.place(ofBody: "body 0 ")
            var bytes = ByteBuffer()
            _ = try store.device.open(path, .readOnly).read(at: record, count: body + 40 - record, into: &bytes)
            try store.device.open(last, .readWrite).write(bytes, at: inLast)
            return last
        case .strangeLogFile:
            _ = try store.device.open("/store/commitlog/notes", .create)
            return "/store/commitlog/notes"
        case .shortLastSegment:
            try store.truncate(last, to: inLast + 10)
            return last
        case .queueEntry:
            store.device.flipBit(Self.queueFile, byte: 45, bit: 2)
            return Self.queueFile
        case .queueEntryBehindTheEnd:
            let file = try #require(try store.device.list(Self.queue)?.last)
            try store.overwrite("\(Self.queue)/\(file.name)", at: 300, "0123456789abcdef")
            return "\(Self.queue)/\(file.name)"
        case .shortQueueFile:
            try store.truncate(Self.queueFile, to: 333)
            return Self.queueFile
        case .missingQueueFile:
            try store.device.remove("\(Self.queue)/00000000000000000400")
            return "\(Self.queue)/00000000000000000800"
        case .missingFirstQueueFile:
            try store.device.remove(Self.queueFile)
            return Self.queueFile
        case .missingQueue:
            try store.fixture.removeTree(Self.queue)
            return Self.queue
        case .allQueues:
            try store.fixture.removeTree("/store/consumequeue")
            return "/store/consumequeue/Orders/0"
        default:
            return try plantElsewhere(damage, in: store, index: index)
        }
    }

    private func plantElsewhere(_ damage: Damage, in store: VerifyFixture, index: String) throws -> String {
        let side = "/store/\(store.sideFile)"
        switch damage {
        case .indexEntry:
            store.device.flipBit(index, byte: 40 + 4 * 500 + 20 * 7 + 9, bit: 0)
            return index
        case .indexSlot:
            let bytes = try #require(try store.device.contents(of: index))
            let used = try #require((0..<500).first { bytes.getInteger(at: 40 + 4 * $0, as: Int32.self) != 0 })
            store.device.flipBit(index, byte: 40 + 4 * used + 3, bit: 0)
            return index
        case .indexHeader:
            store.device.flipBit(index, byte: 36, bit: 6)
            return index
        case .shortIndex:
            try store.truncate(index, to: 500)
            return index
        case .missingIndexFile:
            try store.device.remove(index)
            return "/store/index"
        case .allIndex:
            try store.fixture.removeTree("/store/index")
            return "/store/index"
        case .shortCheckpoint: try store.truncate("/store/checkpoint", to: 9)
        case .missingCheckpoint: try store.device.remove("/store/checkpoint")
        case .futureCheckpoint: store.device.flipBit("/store/checkpoint", byte: 1, bit: 0)
        case .position:
            for end in ["", ".bak"] { try store.overwrite("/store/escrow/position\(end)", at: 0, "?") }
            return "/store/escrow/position"
        case .queueList:
            try store.overwrite("/store/escrow/queues", at: 0, "?")
            return "/store/escrow/queues"
        case .sideFile: try store.truncate(side, to: 5)
        case .missingSideFile: try store.device.remove(side)
        case .sideFileOfZeros: try store.overwrite(side, at: 0, String(repeating: "\0", count: 13))
        case .backup:
            try store.truncate("\(side).bak", to: 5)
            return "\(side).bak"
        default:
            Issue.record("\(damage) is planted elsewhere")
        }
        return damage.kind == .checkpoint ? "/store/checkpoint" : side
    }

    @Test(arguments: Damage.allCases)
    func damageIsNamedMendedAndGone(_ damage: Damage) throws {
        let store = try VerifyFixture()
        let before = try store.verify()
        #expect(before.findings == [])
        let expected = try store.messages()
        let good = try store.fixture.tree("/store/commitlog")

        let path = try plant(damage, in: store, end: Int(before.logEnd.rawValue))
        let found = try store.verify()
        let finding = try #require(found.damage.first { $0.kind == damage.kind }, "\(found.findings)")
        #expect(finding.path == path)
        #expect(found.damage.allSatisfy { $0.severity == .damage && $0.step != nil }, "\(found.damage)")

        try store.repair(found)
        let after = try store.verify()
        #expect(after.findings == [], "\(damage)")
        #expect(after.records == 300)
        #expect(after.queueEntries == 300)
        #expect(after.indexEntries == 900)
        if damage != .strangeLogFile { #expect(try store.fixture.tree("/store/commitlog") == good) }
        if damage.kind == .sideFile, finding.path.hasSuffix(".json") {
            #expect(try store.device.contents(of: finding.path) == ByteBuffer(string: "{\"version\":1}"))
        }
        #expect(try store.messages() == expected)
    }

    @Test func whatIsSetAsideIsStillThere() throws {
        let store = try VerifyFixture()
        let damaged = try #require(try store.device.contents(of: Self.queueFile))
        store.device.flipBit(Self.queueFile, byte: 45, bit: 2)
        let last = try #require(try store.segments.last)
        let end = try store.verify().logEnd
        try store.overwrite(last, at: Int(end.rawValue) % 16_384, "the torn tail")
        try store.repair(try store.verify())
        let kept = try store.fixture.tree("/store/quarantine")
        let queue = try #require(kept.first { $0.key.hasSuffix("consumequeue/Payments/1/00000000000000000000") })
        #expect(queue.value != damaged)
        #expect(queue.value.readableBytes == damaged.readableBytes)
        let tail = try #require(kept.first { $0.key.contains(".tail-") })
        #expect(String(buffer: tail.value).hasPrefix("the torn tail"))
    }

    @Test func aSecondRepairGoesOnWhereTheFirstDied() throws {
        for step in 0..<40 {
            let store = try VerifyFixture(seed: UInt64(step))
            let expected = try store.messages()
            store.device.flipBit(Self.queueFile, byte: 45, bit: 2)
            try store.truncate("/store/checkpoint", to: 9)
            try store.truncate("/store/\(store.sideFile)", to: 5)
            store.device.fail(step % 2 == 0 ? .write : .rename, after: step / 2, permanently: true)
            try? store.repair(try store.verify())
            store.device.clearFaults()
            store.device.kill()
            try store.repair(try store.verify())
            #expect(try store.verify().damage == [], "died at \(step)")
            #expect(try store.messages() == expected, "died at \(step)")
        }
    }
}
