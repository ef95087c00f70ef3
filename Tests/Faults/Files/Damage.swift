import Foundation
import NIOCore
import TestSupport

/// What was done to a copy of a store, and what may follow from it.
struct Damage: Sendable {
    /// Records that may be missing: each of the others must be served.
    var mayMiss: Set<Place> = []
    /// How many of any may be missing besides.
    var mayMissOfAny = 0
    /// A person must be told when something is missing: one line has all the words of one of these. Empty: need not be.
    var reports: [[String]] = []
    /// Whether the store may refuse to open, naming the cause.
    var mayRefuse = false
    /// Whether records may be there that were stored after the damage, or that it moved to another queue.
    var allowsNew = false
    /// Where a damaged record may be served, since nothing but itself says where it belongs.
    var claimed: Place?
    /// Whether the record's own checksum may be what was overwritten: what it covers besides body and place is unknown.
    var spoilsChecksum = false
    var description = ""

    func isReported(by line: String) -> Bool { reports.contains { $0.allSatisfy(line.contains) } }
}

/// Damages the files of a store that is not open.
struct Vandal {
    let template: TemplateStore
    let store: String

    private func logFile(_ base: Int64) -> String {
        let digits = String(base)
        return store + "/commitlog/" + String(repeating: "0", count: 20 - digits.count) + digits
    }

    private func base(_ offset: Int64) -> Int64 {
        offset / Int64(TemplateStore.segmentBytes) * Int64(TemplateStore.segmentBytes)
    }

    private func overwrite(_ path: String, at position: Int, with bytes: [UInt8]) throws {
        let handle = try FileHandle(forUpdating: URL(fileURLWithPath: path))
        defer { try? handle.close() }
        try handle.seek(toOffset: UInt64(position))
        try handle.write(contentsOf: Data(bytes))
    }

    private func flip(_ path: String, at position: Int, bit: Int) throws {
        let handle = try FileHandle(forUpdating: URL(fileURLWithPath: path))
        defer { try? handle.close() }
        try handle.seek(toOffset: UInt64(position))
        guard let byte = try handle.read(upToCount: 1)?.first else { return }
        try handle.seek(toOffset: UInt64(position))
        try handle.write(contentsOf: Data([byte ^ (1 << bit)]))
    }

    /// The log from one byte on reads as zeros, or as something else.
    ///
    /// - Parameter position: counted from the first byte of the third-last record.
    func tear(_ kind: FaultKind, at position: Int, using generator: inout SeededGenerator) throws -> Damage {
        let tail = template.records.suffix(3)
        guard let first = tail.first, let last = tail.last else { return Damage() }
        let cut = first.logOffset + Int64(position)
        let segment = base(cut)
        let count = Int(min(last.end, segment + Int64(TemplateStore.segmentBytes)) - cut)
        let isZero = kind == .tornTail
        let bytes = (0..<count).map { _ in isZero ? 0 : UInt8.random(in: 0...255, using: &generator) }
        try overwrite(logFile(segment), at: Int(cut - segment), with: bytes)
        return Damage(
            mayMiss: Set(tail.filter { $0.end > cut }.map(\.place)), spoilsChecksum: !isZero,
            description: "from \(cut) of \(last.end)")
    }

    /// The record's bytes read as zeros.
    func erase(_ record: StoredRecord) throws {
        let segment = base(record.logOffset)
        let zeros = [UInt8](repeating: 0, count: record.bytes.readableBytes)
        try overwrite(logFile(segment), at: Int(record.logOffset - segment), with: zeros)
    }

    /// One bit of one record.
    func flipRecord(_ kind: FaultKind, using generator: inout SeededGenerator) throws -> Damage {
        guard let record = template.records.randomElement(using: &generator), let field = RecordField(record),
            let position = field.positions(kind, hasRecordChecksum: template.hasRecordChecksum)
                .randomElement(using: &generator)
        else { return Damage() }
        let segment = base(record.logOffset)
        let bit = Int.random(in: 0...7, using: &generator)
        try flip(logFile(segment), at: Int(record.logOffset - segment) + position, bit: bit)
        // What was not flushed before a crash may end at the damage. And a crashed store dispatches again what the
        // record now says of itself: without a checksum of its fields, it may be of another topic.
        let isTrusted = record.end <= template.trusted
        let isBlind = template.end == .crashed && !template.hasRecordChecksum
        let behind = template.records.filter {
            $0.logOffset == record.logOffset
                || $0.logOffset > record.logOffset && (!isTrusted || isBlind && $0.end > template.trusted)
        }
        // The last record of a queue leaves no gap behind when it goes to another one.
        let mayMove = isBlind && (kind == .flipHeader || kind == .flipProperties)
        let isLast = !template.records.contains {
            $0.place.queue == record.place.queue && $0.logOffset > record.logOffset
        }
        return Damage(
            mayMiss: Set(behind.map(\.place)),
            reports: mayMove && isLast ? [] : reports(of: record, isTrusted: isTrusted, mayMove: mayMove),
            allowsNew: isBlind, claimed: isBlind ? record.claimedPlace(flipping: bit, of: position) : nil,
            description: "\(record.place), byte \(position) of \(record.bytes.readableBytes) at \(record.logOffset)")
    }

    /// Its file and where in it, or what its queue lacks when it claims another place. What was not flushed may be
    /// where the log ends.
    private func reports(of record: StoredRecord, isTrusted: Bool, mayMove: Bool) -> [[String]] {
        let segment = base(record.logOffset)
        let file = logFile(segment).dropFirst(store.count)
        let position = record.logOffset - segment
        let place = [" ", ":", ";"].map { [String(file), " at \(position)\($0)"] }
        let queue = "/consumequeue/\(record.place.queue.topic)/\(record.place.queue.queueID)"
        let lacks = [
            [queue, "no record for the"], [queue, "of commitlog/ claims queue offset"],
            ["the record at \(record.logOffset) of commitlog/"],
            [" \(record.logOffset) of commitlog/ both claim"],
        ]
        return place + (mayMove ? lacks : []) + (isTrusted && !mayMove ? [] : [["the log ends at"]])
    }

    /// One bit of one of the files that can be made again from the log.
    ///
    /// RocketMQ's entries of a consume queue have no checksum: one that leads nowhere is skipped and reported, and the
    /// message is read again when the queue has been built anew.
    func flipDerived(_ folder: String, using generator: inout SeededGenerator) throws -> Damage {
        let names = FileManager.default.enumerator(atPath: store + "/" + folder)?.compactMap { $0 as? String } ?? []
        let files = names.sorted().map { "\(store)/\(folder)/\($0)" }.filter { length($0) > 0 }
        guard let file = files.randomElement(using: &generator) else { return Damage() }
        let position = Int.random(in: 0..<length(file), using: &generator)
        try flip(file, at: position, bit: Int.random(in: 0...7, using: &generator))
        return Damage(
            mayMissOfAny: folder == "consumequeue" ? 1 : 0,
            // By the queue and the entry, or by the record that the entry leads to.
            reports: [
                [(file as NSString).deletingLastPathComponent, ": entry "],
                ["/commitlog/", " at ", "damaged and skipped"],
            ],
            description: "byte \(position) of \(file.dropFirst(store.count))")
    }

    func flipPosition(using generator: inout SeededGenerator) throws -> Damage {
        let names = ["checkpoint", "escrow/position", "escrow/queues", "escrow/flushed"]
        let files = names.map { "\(store)/\($0)" }.filter { length($0) > 0 }
        guard let file = files.randomElement(using: &generator) else { return Damage() }
        let used = file.hasSuffix("checkpoint") ? 24 : length(file)
        let position = Int.random(in: 0..<used, using: &generator)
        try flip(file, at: position, bit: Int.random(in: 0...7, using: &generator))
        return Damage(description: "byte \(position) of \(file.dropFirst(store.count))")
    }

    /// Log files of zeros behind the last one, as a writer that prepares ahead leaves them.
    func addZeroSegments(_ count: Int) throws -> Damage {
        guard let last = template.records.last else { return Damage() }
        for index in 1...count {
            let path = logFile(base(last.logOffset) + Int64(index * TemplateStore.segmentBytes))
            _ = FileManager.default.createFile(atPath: path, contents: Data(count: TemplateStore.segmentBytes))
        }
        return Damage(description: "\(count) files")
    }

    func removeSegment(using generator: inout SeededGenerator) throws -> Damage {
        let bases = Set(template.records.map { base($0.logOffset) }).sorted().dropFirst().dropLast()
        guard let gone = bases.randomElement(using: &generator) else { return Damage() }
        try FileManager.default.removeItem(atPath: logFile(gone))
        return Damage(
            mayMiss: Set(template.records.filter { base($0.logOffset) == gone }.map(\.place)),
            reports: [[(logFile(gone) as NSString).lastPathComponent + " is missing"]], mayRefuse: true,
            description: "file \(gone)")
    }

    /// A log file of earlier records under the name that the next one will have.
    func duplicateSegment(using generator: inout SeededGenerator) throws -> Damage {
        let bases = Set(template.records.map { base($0.logOffset) }).sorted()
        guard let source = bases.randomElement(using: &generator), let last = bases.last else { return Damage() }
        let target = logFile(last + Int64(TemplateStore.segmentBytes))
        try? FileManager.default.removeItem(atPath: target)
        try FileManager.default.copyItem(atPath: logFile(source), toPath: target)
        return Damage(description: "file \(source) again")
    }

    func removeQueueFile(using generator: inout SeededGenerator) throws -> Damage {
        let folder = store + "/consumequeue"
        let names = FileManager.default.enumerator(atPath: folder)?.compactMap { $0 as? String } ?? []
        let files = names.sorted().filter { $0.split(separator: "/").count == 3 }
        guard let file = files.randomElement(using: &generator) else { return Damage() }
        try FileManager.default.removeItem(atPath: folder + "/" + file)
        return Damage(description: file)
    }

    private func length(_ path: String) -> Int {
        let attributes = try? FileManager.default.attributesOfItem(atPath: path)
        guard attributes?[.type] as? FileAttributeType == .typeRegular else { return 0 }
        return (attributes?[.size] as? NSNumber)?.intValue ?? 0
    }
}
