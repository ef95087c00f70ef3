import MQProtocol
import NIOCore
import Testing

@testable import MQStore

@Suite struct ConsumeQueueTests {
    private let device = SimulatedDevice(seed: 1)

    private func queue(_ topic: String = "TopicTest", entriesPerFile: Int = 10, limit: Int = 8) -> ConsumeQueue {
        let files = QueueFiles(device: device, root: "/store", entriesPerFile: entriesPerFile, limit: limit)
        return ConsumeQueue(ref: QueueRef(topic: topic, queueID: 0, index: 0), files: files)
    }

    private func entry(_ number: Int64) -> QueueEntry {
        QueueEntry(logOffset: LogOffset(rawValue: number * 100), size: 100, tagsCode: number)
    }

    private func filled(_ count: Int64) throws -> ConsumeQueue {
        let queue = queue()
        for number in 0..<count { _ = try queue.append(entry(number), at: number) }
        try queue.write()
        return queue
    }

    private func removeFiles(of queue: ConsumeQueue, below offset: Int64) throws -> Int {
        try queue.removeFiles(before: queue.firstKept(below: LogOffset(rawValue: offset)))
    }

    /// Vectors of entries of a stock broker.
    @Test func bytesOfAStockBroker() throws {
        let queue = queue()
        let tagged: [(Int64, Int32, String)] = [(0, 0xEB, "TagA"), (0x3EA, 0xE6, "TagB"), (0x4D0, 0xE6, "TagB")]
        for (number, (offset, size, tag)) in tagged.enumerated() {
            let code = MQProtocol.tagsCode(tag.utf8.span)
            let entry = QueueEntry(logOffset: LogOffset(rawValue: offset), size: size, tagsCode: code)
            _ = try queue.append(entry, at: Int64(number))
        }
        try queue.write()
        let file = try #require(try device.contents(of: "/store/consumequeue/TopicTest/0/00000000000000000000"))
        #expect(file.readableBytes == 200, "files have their full length at once")
        let expected =
            "0000000000000000000000eb000000000027a807" + "00000000000003ea000000e6000000000027a808"
            + "00000000000004d0000000e6000000000027a808" + String(repeating: "0", count: 280)
        #expect(file.hexText == expected)
    }

    @Test func firstEntryInTheMiddleIsPrecededByBlanks() throws {
        let queue = queue()
        guard case .afterGap(let gap) = try queue.append(entry(13), at: 13) else {
            Issue.record("a gap was expected")
            return
        }
        #expect(gap == 13)
        try queue.write()
        let file = try #require(try device.contents(of: "/store/consumequeue/TopicTest/0/00000000000000000200"))
        #expect(file.hexText.hasPrefix(String(repeating: "00000000000000007fffffff0000000000000000", count: 3)))
        #expect(queue.bounds(logMinimum: .zero) == (13, 14))
        let again = self.queue()
        _ = try again.load(limit: LogOffset(rawValue: .max), clears: true, hint: nil)
        #expect(again.bounds(logMinimum: .zero) == (13, 14), "also after a restart")
    }

    /// The blank ones stand for damaged records, those before them are read.
    @Test func aFileThatEndsWithBlanksGoesWithItsLastRecord() throws {
        let queue = queue()
        for number in 0..<7 { _ = try queue.append(entry(Int64(number)), at: Int64(number)) }
        for number in 10..<25 { _ = try queue.append(entry(Int64(number)), at: Int64(number)) }
        try queue.write()
        #expect(try removeFiles(of: queue, below: 600) == 0)
        #expect(queue.bounds(logMinimum: LogOffset(rawValue: 600)) == (6, 25))
        #expect(try removeFiles(of: queue, below: 601) == 1)
        #expect(queue.bounds(logMinimum: LogOffset(rawValue: 601)) == (10, 25))
    }

    @Test func knownEntriesAreIgnoredAndImplausibleOnesRefused() throws {
        let queue = try filled(5)
        guard case .known = try queue.append(entry(3), at: 3) else {
            Issue.record("entry 3 is there")
            return
        }
        guard case .taken(by: entry(3).logOffset) = try queue.append(entry(9), at: 3) else {
            Issue.record("entry 3 is of another record")
            return
        }
        guard case .implausible = try queue.append(entry(9), at: 1 << 60) else {
            Issue.record("a queue does not jump")
            return
        }
        guard case .afterGap(2) = try queue.append(entry(9), at: 7) else {
            Issue.record("offsets 5 and 6 are blank")
            return
        }
        #expect(queue.end == 8)
        #expect(queue.entries(from: 4, count: 9)?.readableBytes == 80)
    }

    @Test func readsTailFilesAndFileEnds() throws {
        let queue = queue(entriesPerFile: 300)
        for number in 0..<1000 { _ = try queue.append(entry(Int64(number)), at: Int64(number)) }
        for start in [0, 1, 255, 299, 300, 700, 743, 744, 899, 900, 999] as [Int64] {
            let entries = try #require(queue.entries(from: start, count: 64))
            #expect(entries.entry(0) == entry(start))
            let fileEnd = min(1000, (start / 300 + 1) * 300)
            #expect(entries.readableBytes / 20 <= min(64, Int(fileEnd - start)))
        }
        #expect(queue.entries(from: 1000, count: 1) == nil)
        #expect(queue.entries(from: -1, count: 1) == nil)
        #expect(queue.entries(from: .max, count: 1) == nil)
    }

    @Test func endIsFoundAfterACleanStop() throws {
        for count in [1, 9, 10, 11, 20, 25] as [Int64] {
            _ = try filled(count)
            let again = queue()
            for hint in [nil, count, 3, 1000] as [Int64?] {
                #expect(try again.load(limit: LogOffset(rawValue: .max), clears: false, hint: hint) == .intact)
                #expect(again.end == count)
            }
            try again.erase(ignoredBelow: .zero)
        }
    }

    @Test func entriesAboveTheLimitAreCutAndCleared() throws {
        _ = try filled(25)
        let again = queue()
        _ = try again.load(limit: LogOffset(rawValue: 1250), clears: true, hint: nil)
        #expect(again.end == 13)
        #expect(try !device.exists("/store/consumequeue/TopicTest/0/00000000000000000400"))
        let file = try #require(try device.contents(of: "/store/consumequeue/TopicTest/0/00000000000000000200"))
        #expect(file.hexText.hasSuffix(String(repeating: "0", count: 280)))
        for number in 13..<25 as Range<Int64> { _ = try again.append(entry(number), at: number) }
        try again.write()
        #expect(again.entries(from: 20, count: 1)?.entry(0) == entry(20))
    }

    /// Blank ones in front of them too, in the same file and at the beginning of the next.
    @Test(arguments: [(16, 12), (22, 20), (22, 12)] as [(Int64, Int64)])
    func blankEntriesAboveTheLimitAreCutToo(next: Int64, end: Int64) throws {
        let queue = queue()
        for number in (0..<end) as Range<Int64> { _ = try queue.append(entry(number), at: number) }
        _ = try queue.append(entry(next), at: next)
        try queue.write()
        let again = self.queue()
        _ = try again.load(limit: LogOffset(rawValue: end * 100), clears: true, hint: nil)
        #expect(again.end == end)
        let whole = self.queue()
        guard case .afterGap(next - end) = try again.append(entry(next), at: next) else {
            Issue.record("the places without a record are blank again")
            return
        }
        try again.write()
        _ = try whole.load(limit: LogOffset(rawValue: next * 100 + 1), clears: true, hint: nil)
        #expect(whole.end == next + 1, "below the limit they count")
    }

    @Test func missingMiddleFileIsDamage() throws {
        _ = try filled(35)
        try device.remove("/store/consumequeue/TopicTest/0/00000000000000000200")
        let again = queue()
        guard case .damaged = try again.load(limit: LogOffset(rawValue: .max), clears: false, hint: nil) else {
            Issue.record("a gap was expected to be noticed")
            return
        }
        #expect(again.end == 10)
        try again.removeUnusable()
        #expect(try device.list("/store/consumequeue/TopicTest/0")?.count == 1)
    }

    @Test func minimumFollowsTheLogAndFilesAreRemoved() throws {
        let queue = try filled(35)
        #expect(queue.bounds(logMinimum: .zero) == (0, 35))
        #expect(queue.bounds(logMinimum: LogOffset(rawValue: 1)) == (1, 35))
        #expect(queue.bounds(logMinimum: LogOffset(rawValue: 1950)) == (20, 35))
        #expect(try removeFiles(of: queue, below: 1950) == 2)
        #expect(queue.bounds(logMinimum: LogOffset(rawValue: 1950)) == (20, 35))
        #expect(queue.bounds(logMinimum: LogOffset(rawValue: 99_999)) == (35, 35), "nothing is readable")
        #expect(try removeFiles(of: queue, below: 99_999) == 1, "the last file stays")
        #expect(try device.list("/store/consumequeue/TopicTest/0")?.map(\.name) == ["00000000000000000600"])
    }

    /// Messages stored at 1000, 2000, ... 20000; the search knows the time of entry n as (n + 1) seconds.
    @Test(arguments: [
        (0, 0), (1000, 0), (1001, 0), (1499, 0), (1500, 0), (1501, 1), (20_000, 19), (99_999, 19), (7000, 6),
    ])
    func offsetByTime(time: Int64, expected: Int64) throws {
        let queue = try filled(20)
        let found = queue.search(Timestamp(milliseconds: time), logMinimum: .zero) {
            Timestamp(milliseconds: ($0.tagsCode + 1) * 1000)
        }
        #expect(found == expected)
    }

    @Test func offsetByTimeSkipsWhatIsGoneAndAnswers0WhenUnreadable() throws {
        let queue = try filled(20)
        let early = queue.search(.zero, logMinimum: LogOffset(rawValue: 550)) { Timestamp(milliseconds: $0.tagsCode) }
        #expect(early == 6)
        #expect(queue.search(.zero, logMinimum: .zero) { _ in nil } == 0)
        #expect(self.queue("Empty").search(.zero, logMinimum: .zero) { _ in nil } == 0)
    }

    @Test func openFilesAreLimited() throws {
        let files = QueueFiles(device: device, root: "/store", entriesPerFile: 10, limit: 8)
        for number in 0..<50 {
            let queue = ConsumeQueue(ref: QueueRef(topic: "T", queueID: Int32(number), index: number), files: files)
            _ = try queue.append(entry(0), at: 0)
            try queue.write()
            #expect(files.openCount <= 8)
        }
    }

    @Test func failedWriteKeepsEntriesReadable() throws {
        let queue = queue()
        _ = try queue.append(entry(0), at: 0)
        device.fail(.write, permanently: true)
        #expect(throws: StoreError.self) { try queue.write() }
        #expect(queue.entries(from: 0, count: 1)?.entry(0) == entry(0))
        device.clearFaults()
        try queue.write()
        let again = self.queue()
        _ = try again.load(limit: LogOffset(rawValue: .max), clears: true, hint: nil)
        #expect(again.end == 1)
    }
}

extension ByteBuffer {
    /// Lower-case hexadecimal text of the readable bytes.
    var hexText: String {
        readableBytesView.map { byte in
            let text = String(byte, radix: 16)
            return text.count == 1 ? "0" + text : text
        }.joined()
    }
}
