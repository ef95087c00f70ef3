import Foundation

/// Reads a closed store as a stock broker would, from the published layout alone, and lists what it would stumble over.
struct StockReader {
    let directory: URL
    let segmentBytes: Int
    let queueBytes: Int
    let slots: Int
    let indexEntries: Int
    private(set) var records: [StockRecord] = []
    private(set) var objections: [String] = []

    init(_ directory: URL, segmentBytes: Int, queueBytes: Int, slots: Int, indexEntries: Int) throws {
        self.directory = directory
        self.segmentBytes = segmentBytes
        self.queueBytes = queueBytes
        self.slots = slots
        self.indexEntries = indexEntries
        try readLog()
        try readQueues()
        try readIndex()
        try readSmallFiles()
    }

    private mutating func object(_ text: String) { objections.append(text) }

    private func names(_ path: String) -> [String] {
        (try? FileManager.default.contentsOfDirectory(atPath: directory.appending(path: path).path))?.sorted() ?? []
    }

    private mutating func readLog() throws {
        for (index, name) in names("commitlog").enumerated() {
            let bytes = Array(try Data(contentsOf: directory.appending(path: "commitlog/\(name)")))
            if bytes.count != segmentBytes { object("\(name) has \(bytes.count) bytes") }
            if name != StockBytes.name(index * segmentBytes) { object("\(name) is file \(index)") }
            var position = 0
            while position + 8 <= bytes.count {
                let size = Int(StockBytes.integer(bytes[position..<position + 4]))
                let magic = StockBytes.integer(bytes[position + 4..<position + 8]) & 0xFFFF_FFFF
                if size == 0 { break }
                if magic == StockRecord.blank {
                    if size != bytes.count - position { object("a blank of \(size) bytes at \(position) of \(name)") }
                    break
                }
                guard magic == StockRecord.magic, position + size + 8 <= bytes.count else {
                    object("no record at \(position) of \(name)")
                    break
                }
                readRecord(Array(bytes[position..<position + size]), at: Int64(index * segmentBytes + position))
                position += size
            }
        }
    }

    /// A record made again from what was read must be the same bytes.
    private mutating func readRecord(_ bytes: [UInt8], at offset: Int64) {
        func integer(_ start: Int, _ count: Int) -> Int64 { StockBytes.integer(bytes[start..<start + count]) }
        let bodyCount = Int(integer(84, 4))
        let topicStart = 88 + bodyCount
        let topicCount = Int(bytes[topicStart])
        let propertiesStart = topicStart + 1 + topicCount + 2
        func text(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }
        let properties = text(propertiesStart..<bytes.count).split(separator: "\u{2}").map {
            $0.split(separator: "\u{1}", maxSplits: 1).map(String.init)
        }
        let record = StockRecord(
            topic: text(topicStart + 1..<topicStart + 1 + topicCount), queueID: Int32(integer(12, 4)),
            queueOffset: integer(20, 8), sysFlag: Int32(integer(36, 4)), bornTimestamp: integer(40, 8),
            storeTimestamp: integer(56, 8), reconsumeTimes: Int32(integer(72, 4)), preparedOffset: integer(76, 8),
            body: text(88..<topicStart), properties: properties, physicalOffset: integer(28, 8))
        if record.physicalOffset != offset { object("the record at \(offset) says \(record.physicalOffset)") }
        var again = record.bytes
        // The hosts are those of this run.
        again.replaceSubrange(48..<56, with: bytes[48..<56])
        again.replaceSubrange(64..<72, with: bytes[64..<72])
        again.replaceSubrange(16..<20, with: bytes[16..<20])
        if again != bytes { object("the record at \(offset) has bytes of its own") }
        records.append(record)
    }

    private mutating func readQueues() throws {
        var expected: [String: [StockRecord]] = [:]
        for record in records where record.sysFlag & 0xC == 0 || record.sysFlag & 0xC == 8 {
            expected["\(record.topic)/\(record.queueID)", default: []].append(record)
        }
        for (queue, records) in expected {
            for (number, record) in records.enumerated() where record.queueOffset != Int64(number) {
                object("queue offset \(record.queueOffset) of \(queue) is number \(number)")
            }
            let files = names("consumequeue/\(queue)")
            var bytes: [UInt8] = []
            for (index, file) in files.enumerated() {
                let url = directory.appending(path: "consumequeue/\(queue)/\(file)")
                if file != StockBytes.name(index * queueBytes) { object("\(queue)/\(file) is file \(index)") }
                let content = try Data(contentsOf: url)
                if content.count != queueBytes { object("\(queue)/\(file) has \(content.count) bytes") }
                bytes += content
            }
            let entries = records.flatMap { record in
                StockBytes.integer(record.physicalOffset, bytes: 8)
                    + StockBytes.integer(Int64(record.bytes.count), bytes: 4)
                    + StockBytes.integer(code(record), bytes: 8)
            }
            if Array(bytes.prefix(entries.count)) != entries { object("the entries of \(queue)") }
            if bytes.dropFirst(entries.count).contains(where: { $0 != 0 }) { object("the rest of \(queue)") }
        }
        let present = names("consumequeue").flatMap { topic in names("consumequeue/\(topic)").map { "\(topic)/\($0)" } }
        if Set(present) != Set(expected.keys) { object("the queues \(present)") }
    }

    private func code(_ record: StockRecord) -> Int64 {
        guard record.topic == "SCHEDULE_TOPIC_XXXX" else { return record.tagsCode }
        let levels: [Int64] = [1, 5, 10, 30, 60]
        return record.storeTimestamp + levels[Int(record.queueID)] * 1000
    }

    private mutating func readIndex() throws {
        var next = 1
        var heads: [Int: Int64] = [:]
        let indexed = records.filter { !$0.keys.isEmpty }
        let files = names("index")
        guard let name = files.first, let first = indexed.first, let last = indexed.last else {
            return object("\(files.count) index files for \(indexed.count) records with keys")
        }
        if name.count != 17 || files.count != 1 { object("the index files \(files)") }
        let bytes = Array(try Data(contentsOf: directory.appending(path: "index/\(name)")))
        if bytes.count != 40 + 4 * slots + 20 * indexEntries { object("\(name) has \(bytes.count) bytes") }
        func integer(_ start: Int, _ count: Int) -> Int64 { StockBytes.integer(bytes[start..<start + count]) }
        for record in indexed {
            for key in record.keys {
                let hash = abs(Int64(StockBytes.javaHash("\(record.topic)#\(key)")))
                let at = 40 + 4 * slots + 20 * next
                let slot = Int(hash) % slots
                let isRight =
                    integer(at, 4) == hash && integer(at + 4, 8) == record.physicalOffset
                    && integer(at + 12, 4) == (record.storeTimestamp - first.storeTimestamp) / 1000
                    && integer(at + 16, 4) == heads[slot] ?? 0
                if !isRight { object("entry \(next) of the index, for \(key)") }
                heads[slot] = Int64(next)
                next += 1
            }
        }
        for slot in 0..<slots where integer(40 + 4 * slot, 4) != heads[slot] ?? 0 { object("slot \(slot)") }
        let header = [integer(0, 8), integer(8, 8), integer(16, 8), integer(24, 8), integer(32, 4), integer(36, 4)]
        let wanted = [
            first.storeTimestamp, last.storeTimestamp, first.physicalOffset, last.physicalOffset, Int64(heads.count),
            Int64(next),
        ]
        if header != wanted { object("the header of the index: \(header), not \(wanted)") }
    }

    private mutating func readSmallFiles() throws {
        let checkpoint = Array(try Data(contentsOf: directory.appending(path: "checkpoint")))
        let times = (0..<3).map { StockBytes.integer(checkpoint[8 * $0..<8 * $0 + 8]) }
        let newest = records.map(\.storeTimestamp).max() ?? 0
        if checkpoint.count != 4096 || checkpoint.dropFirst(24).contains(where: { $0 != 0 }) { object("checkpoint") }
        if times[0] != newest || times[1] != newest || times[2] != 0 { object("the checkpoint's times \(times)") }
        if try Data(contentsOf: directory.appending(path: "lock")) != Data("lock".utf8) { object("lock") }
        if FileManager.default.fileExists(atPath: directory.appending(path: "abort").path) { object("abort") }
    }

    /// `key:number` pairs of a member with integer keys, as fastjson writes them: without quotes, on one line.
    func integerMap(_ name: String, in file: String) throws -> [Int: Int64]? {
        let text = try String(contentsOf: directory.appending(path: "config/\(file)"), encoding: .utf8)
        guard let start = text.range(of: "\"\(name)\":{")?.upperBound else { return nil }
        let line = text[start...].prefix { $0 != "\n" }
        var map: [Int: Int64] = [:]
        for pair in line.split(separator: ",") {
            let parts = pair.split(separator: ":")
            guard parts.count == 2, let key = Int(parts[0]), let value = Int64(parts[1]) else { return nil }
            map[key] = value
        }
        return map
    }
}
