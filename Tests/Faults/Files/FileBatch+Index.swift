import Foundation
import MQProtocol
import MQStore
import NIOCore
import TestSupport

extension FileBatch {
    /// A damaged index may find less, and what has another key: never what was not stored. One that is deleted is built
    /// again from the log, and finds all.
    func indexViolations(_ damage: Damage) throws -> [Violation] {
        let damaged = try found()
        let altered = damaged.filter { !$0.isStored }.map { hit in
            Violation(.altered, "\(hit.key) finds what was never stored; \(damage.description)")
        }
        try FileManager.default.removeItem(atPath: work + "/index")
        let missing = try found().filter { !$0.isFound }.map { hit in
            Violation(.index, "\(hit.key) is not found by an index that was built again; \(damage.description)")
        }
        return altered + missing
    }

    private struct Hit {
        var key: String
        /// Whether the message itself is among what was found.
        var isFound: Bool
        /// Whether all that was found is in a queue.
        var isStored: Bool
    }

    private func found() throws -> [Hit] {
        let store = try open(LogLines())
        store.dispatchPending()
        let served = Set(try store.servedRecords().values)
        return template.records.enumerated().map { number, record in
            let key = Payload.key(Int64(number))
            let result = store.query(
                topic: record.place.queue.topic, key: key, maximum: 32, begin: .zero,
                end: Timestamp(milliseconds: .max))
            return Hit(
                key: key, isFound: result.records.contains(record.bytes),
                isStored: result.records.allSatisfy(served.contains))
        }
    }
}
