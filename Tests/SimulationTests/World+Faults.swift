import MQProtocol
import NIOCore
import Synchronization
import TestSupport

@testable import MQStore

extension World {
    func disturb(_ operation: Operation) throws {
        switch operation {
        case .fault: addFault()
        case .heal: try heal()
        case .fillDisk: try fillDisk()
        default: flip()
        }
    }

    private func addFault() {
        let kinds = SimulatedDevice.Operation.allCases
        let kind = kinds[random.below(kinds.count)]
        let after = random.below(6)
        let number: Int32 = random.below(3) == 0 ? 28 : 5
        let isPermanent = random.below(4) == 0
        trail.amend(" \(kind) after \(after), errno \(number)\(isPermanent ? ", for good" : "")")
        device.fail(kind, after: after, errorNumber: number, permanently: isPermanent)
    }

    private func fillDisk() throws {
        let space = try device.space(at: "/store")
        let room = random.below(8) * 4096
        trail.amend(" \(room) bytes left")
        isDiskLimited = true
        device.setCapacity(space.total - space.available + room)
    }

    /// The disk works again: so does the store, without a restart, unless the system dropped what was not flushed.
    private func heal() throws {
        device.clearFaults()
        device.setCapacity(nil)
        isDiskLimited = false
        guard let store else { return }
        try keepHouse(store)
        var failure: StoreError?
        // Every handle tells of a failed flush once.
        for _ in 0..<4 {
            failure = nil
            do throws(StoreError) {
                try store.flushNow()
                break
            } catch {
                failure = error
            }
        }
        if let failure {
            let isLoss = failure.code == .corrupt && dropsPages && model.hasFlushFailed
            guard isLoss else { throw Violation(.healing, "\(failure)") }
            return try restart(random.below(2) == 0 ? .kill : .crash)
        }
        store.dispatchPending()
        try keepHouse(store)
        if let refusal = store.refusal { throw Violation(.healing, "\(refusal)") }
        if store.house.withLock(\.mustRewrite) { throw Violation(.healing, "consume queues are not written again") }
    }

    /// One bit of an acknowledged record changes on the disk and in memory.
    private func flip() {
        guard let store else { return }
        let whole = model.log.filter { $0.end <= model.marked && !$0.isDamaged }
        guard !whole.isEmpty else { return }
        let record = whole[random.below(whole.count)]
        guard let segment = store.log.table.segment(at: LogOffset(rawValue: record.logOffset)) else { return }
        let byte = flippableByte(of: record)
        trail.amend(" \(record.id) at \(record.logOffset), byte \(byte)")
        record.isDamaged = true
        let bodyEnd = 88 + bodyBytes(of: record)
        record.isPlaceLost = byte < 40 || (84..<88).contains(byte) || byte >= bodyEnd
        let position = segment.position(of: LogOffset(rawValue: record.logOffset)) + byte
        device.flipBit(segment.path, byte: position, bit: random.below(8))
    }

    private func bodyBytes(of record: SentRecord) -> Int { 8 + Self.fillers[record.id % Self.fillers.count] }

    /// Without the checksum of the whole record only these fields are protected: lengths, magic code, CRC, place, body.
    private func flippableByte(of record: SentRecord) -> Int {
        if configuration.appendsRecordChecksum { return random.below(record.size - 20) }
        let fields = [0..<12, 28..<36, 84..<88, 88..<88 + bodyBytes(of: record)]
        let field = fields[random.below(fields.count)]
        return field.lowerBound + random.below(field.count)
    }
}
