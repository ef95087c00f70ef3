import MQProtocol
import MQStore
import NIOCore

/// Compares what a store serves after damage with what was stored. Pure.
struct FileCheck {
    var records: [StoredRecord]
    var hasRecordChecksum: Bool

    func violations(_ served: ServedRecords, _ damage: Damage, reports: [String]) -> [Violation] {
        var violations: [Violation] = []
        var missing = 0
        var known: Set<Place> = []
        for record in records {
            known.insert(record.place)
            guard let bytes = served[record.place] else {
                missing += 1
                if !damage.mayMiss.contains(record.place), missing > damage.mayMissOfAny {
                    violations.append(Violation(.lost, "\(record.place) is not there; \(damage.description)"))
                }
                continue
            }
            if !agrees(bytes, record.bytes, damage), record.place != damage.claimed {
                violations.append(Violation(.altered, "\(record.place) is served altered; \(damage.description)"))
            }
        }
        for place in served.keys where !known.contains(place) && !damage.allowsNew {
            violations.append(Violation(.altered, "\(place) is there and was never stored; \(damage.description)"))
        }
        if missing > 0, !damage.reports.isEmpty, !reports.contains(where: damage.isReported) {
            violations.append(
                Violation(.corruption, "\(missing) records are missing and nothing says so; \(damage.description)"))
        }
        return violations
    }

    private func agrees(_ one: ByteBuffer, _ other: ByteBuffer, _ damage: Damage) -> Bool {
        if one == other { return true }
        return (!hasRecordChecksum || damage.spoilsChecksum) && RecordField.agreesWithoutChecksum(one, other)
    }
}
