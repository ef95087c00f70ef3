import Foundation
import MQProtocol
import MQStore
import NIOCore
import TestSupport

/// Damages copies of one store, one after the other, opens them in this process, and compares.
struct FileBatch {
    let template: TemplateStore
    let work: String
    private let check: FileCheck
    var generator: SeededGenerator
    let command: String
    private(set) var report = Report()

    init(_ template: TemplateStore, work: String, generator: SeededGenerator, command: String) {
        self.template = template
        self.work = work
        self.generator = generator
        self.command = command
        check = FileCheck(records: template.records, hasRecordChecksum: template.hasRecordChecksum)
    }

    /// Bytes of the last three records: each is a place for a tear.
    var tailBytes: Int {
        let tail = template.records.suffix(3)
        guard let first = tail.first, let last = tail.last else { return 0 }
        return Int(last.end - first.logOffset)
    }

    /// - Parameter position: for tears, the byte; else of no meaning.
    mutating func inject(_ kind: FaultKind, position: Int = 0) {
        do {
            try? FileManager.default.removeItem(atPath: work)
            try FileManager.default.copyItem(atPath: template.directory, toPath: work)
            if kind == .staleTail {
                try replaceTail()
            } else {
                try verify(kind, try damage(kind, position))
            }
        } catch {
            fail([Violation(.liveness, "\(error)")], kind)
        }
        count(kind) { $0.injected += 1 }
    }

    private mutating func count(_ kind: FaultKind, _ change: (inout Tally) -> Void) {
        report.count(Report.Row(kind: kind, hasRecordChecksum: template.hasRecordChecksum), change)
    }

    private mutating func damage(_ kind: FaultKind, _ position: Int) throws -> Damage {
        let vandal = Vandal(template: template, store: work)
        switch kind {
        case .tornTail, .garbageTail: return try vandal.tear(kind, at: position, using: &generator)
        case .flipQueue: return try vandal.flipDerived("consumequeue", using: &generator)
        case .flipIndex: return try vandal.flipDerived("index", using: &generator)
        case .flipPosition: return try vandal.flipPosition(using: &generator)
        case .zeroTail: return try vandal.addZeroSegments(Int.random(in: 1...3, using: &generator))
        case .missingSegment: return try vandal.removeSegment(using: &generator)
        case .duplicatedSegment: return try vandal.duplicateSegment(using: &generator)
        case .missingQueueFile: return try vandal.removeQueueFile(using: &generator)
        default: return try vandal.flipRecord(kind, using: &generator)
        }
    }

    private mutating func verify(_ kind: FaultKind, _ damage: Damage) throws {
        guard let before = try firstStart(kind, damage) else { return }
        // As after another crash: the store was not closed, and this start finds its mark. It may mend what was
        // skipped.
        let after = try open(LogLines()).servedRecords()
        let isSame = damage.mayMissOfAny == 0 ? after == before : before.allSatisfy { after[$0.key] == $0.value }
        if !isSame {
            fail([Violation(.recovery, "a second start serves something else; \(damage.description)")], kind)
        }
        if kind == .flipQueue { try rebuildQueues(kind) }
        if kind == .flipIndex { fail(try indexViolations(damage), kind) }
    }

    /// The log is the truth: a queue that is deleted comes back as it was.
    private mutating func rebuildQueues(_ kind: FaultKind) throws {
        try FileManager.default.removeItem(atPath: work + "/consumequeue")
        let served = try open(LogLines()).servedRecords()
        fail(check.violations(served, Damage(allowsNew: true, description: "rebuilt"), reports: []), kind)
    }

    /// - Returns: what is served in the end; nil when the store refused to open, as it may.
    private mutating func firstStart(_ kind: FaultKind, _ damage: Damage) throws -> ServedRecords? {
        let complaints = LogLines()
        let started = ContinuousClock.now
        let store: MessageStore
        do {
            store = try open(complaints)
        } catch let error as StoreError where damage.mayRefuse && error.code == .corrupt {
            if !damage.isReported(by: error.message) {
                fail([Violation(.corruption, "the refusal does not name \(damage.description): \(error)")], kind)
            }
            return nil
        }
        let milliseconds = Double(started.duration(to: .now).wholeMilliseconds)
        let compared = template.records.count
        count(kind) { tally in
            tally.recoveries.append(milliseconds)
            tally.compared += compared
        }
        let served = try store.servedRecords()
        fail(check.violations(served, damage, reports: complaints.all), kind)
        fail(try appendViolations(store, served, damage), kind)
        try store.flushNow()
        return try store.servedRecords()
    }

    func open(_ complaints: LogLines) throws -> MessageStore {
        try TemplateStore.open(work, hasRecordChecksum: template.hasRecordChecksum, complaints.logger)
    }

    /// A new message gets the place behind all that is served, and is served.
    private func appendViolations(
        _ store: MessageStore, _ served: ServedRecords, _ damage: Damage
    ) throws -> [Violation] {
        guard let last = template.records.last else { return [] }
        let queue = last.place.queue
        let draft = TemplateStore.draft(1_000_000, queue.topic, queue.queueID, isShort: true)
        let record = try TemplateStore.append(draft, to: store)
        store.dispatchPending()
        if served[record.place] != nil {
            return [Violation(.offsets, "\(record.place) was given a second time; \(damage.description)")]
        }
        if try store.servedRecords()[record.place] != record.bytes {
            return [Violation(.liveness, "\(record.place) is not served after the damage; \(damage.description)")]
        }
        return []
    }

    /// The third-last record never reached the disk, the last two did. Another record of its length takes its place:
    /// the two must not come back behind it.
    private mutating func replaceTail() throws {
        guard let gone = template.records.suffix(3).first else { return }
        try Vandal(template: template, store: work).erase(gone)
        let record = try appendInPlace(of: gone)
        let served = try open(LogLines()).servedRecords()
        count(.staleTail) { $0.compared += 3 }
        for stale in template.records.suffix(2) where served[stale.place] != nil {
            fail([Violation(.torn, "\(stale.place) came back behind \(record.place)")], .staleTail)
        }
        if served[record.place] != record.bytes {
            fail([Violation(.lost, "\(record.place) took the place of another and is not there")], .staleTail)
        }
    }

    private func appendInPlace(of gone: StoredRecord) throws -> StoredRecord {
        let store = try open(LogLines())
        let queue = gone.place.queue
        var draft = TemplateStore.draft(2_000_000, queue.topic, queue.queueID, isShort: true)
        let checksum = template.hasRecordChecksum ? RecordField.checksumBytes + 1 : 0
        let missing = gone.bytes.readableBytes - draft.recordBytes - checksum
        draft.body = ByteBuffer(repeating: 0x61, count: max(1, draft.body.readableBytes + missing))
        let record = try TemplateStore.append(draft, to: store)
        try store.flushNow()
        return record
    }

    private mutating func fail(_ violations: [Violation], _ kind: FaultKind) {
        let detailed = violations.map { Violation($0.invariant, "\($0.text) (\(template.end))") }
        report.fail(
            detailed, of: Report.Row(kind: kind, hasRecordChecksum: template.hasRecordChecksum),
            repeatedBy: command + " --only \"\(kind.rawValue)\"")
    }
}
