import Foundation
import MQProtocol
import NIOCore

@testable import MQStore

/// What the simulation checks.
enum Invariant: String, CustomStringConvertible {
    /// None of the store's: the driver itself failed.
    case harness
    case corrupt = "a corrupt record is never served"
    case healing = "a disk that works again is used again"
    case flush = "a flush covers everything appended"
    case pulled = "a pull brings what was sent"
    case whole = "a pull brings whole records"
    case progress = "a pull goes on"
    case passedOver = "a pull passes over no message"
    case search = "a search by time finds a message"
    case nearest = "a search by time finds the nearest"
    case stable = "a second recovery changes nothing"
    case open = "a store in use is open"
    case deletion = "a topic is deleted as a whole"
    case consumerOffsets = "consumer offsets are those that were saved"
    case lost = "no acknowledged message is lost"
    case altered = "no message is altered"
    case readable = "no message is lost"
    case placeTwice = "no place in the log is used twice"
    case durable = "only appended records are durable"
    case unaltered = "only what was sent is in the log, unaltered"
    case dense = "queue offsets are dense"
    case reused = "queue offsets are never reused"
    case queues = "queues equal the log"
    case overlap = "records do not overlap"
    case waiting = "retention loses nothing that waits"
    case dispatch = "the dispatcher reaches the end"
    case durableEnd = "the durable end never goes back"
    case index = "the index equals the log"
    case zeroEnd = "the log is zero behind its end"
    case opens = "the store opens"
    case opensTwice = "the store opens twice"

    var description: String { rawValue }
}

/// A broken promise of the store, with everything that is needed to see it again.
struct Violation: Error, CustomStringConvertible {
    var invariant: Invariant
    var detail: String
    /// Something was not found: no violation while the disk refuses to be read.
    var isAbsence: Bool
    /// Filled in by the run.
    var seed: UInt64 = 0
    var world = 0
    var operation = 0
    var setting = ""
    var trail: [String] = []
    /// What the store said last.
    var complaints: [String] = []
    /// What the disk holds, when more than usual was asked for.
    var inventory: [String] = []

    init(_ invariant: Invariant, _ detail: String, isAbsence: Bool = false) {
        self.invariant = invariant
        self.isAbsence = isAbsence
        self.detail = detail
    }

    var description: String {
        """
        \(invariant): \(detail)
        ESCROW_SEED=\(seed), world \(world) (ESCROW_SIM_WORLD=\(world) runs it alone), operation \(operation)
        \(setting)
        the last operations:
        \(trail.map { "  \($0)" }.joined(separator: "\n"))
        the store's last warnings:
        \(complaints.suffix(16).map { "  \($0)" }.joined(separator: "\n"))
        \(inventory.joined(separator: "\n"))
        """
    }
}

extension World {
    /// The records of the store, what its queues say of them, and how far they are known to be durable.
    var inventory: [String] {
        var lines: [String] = []
        for name in ["position", "queues"] {
            guard let text = try? device.contents(of: "/store/escrow/\(name)") else { continue }
            lines.append(String(buffer: text))
        }
        for record in model.log {
            lines.append(
                "\(record.logOffset) number \(record.id) \(record.queue)@\(record.queueOffset)"
                    + (record.isDamaged ? " damaged" : ""))
        }
        guard let store else { return lines }
        for (index, ref) in refs.enumerated() {
            let entries = (try? store.entries(of: ref, from: .zero, count: 1000)) ?? []
            let bounds = "\(store.minimumOffset(of: ref))..<\(store.maximumOffset(of: ref))"
            lines.append(
                "\(index) \(ref.topic) \(ref.queueID): \(bounds)"
                    + " next \(store.nextOffset(of: ref)), expected \(model.queues[index].next)"
                    + " \(entries.map(\.logOffset))")
        }
        return lines
    }
}

/// The last operations of a world.
struct Trail {
    /// `ESCROW_SIM_TRAIL=N` keeps N operations, and adds what the disk holds.
    static let length = ProcessInfo.processInfo.environment["ESCROW_SIM_TRAIL"].flatMap { Int($0) } ?? 20
    private var entries: [String] = []
    private var next = 0

    mutating func add(_ entry: String) {
        if entries.count < Self.length {
            entries.append(entry)
        } else {
            entries[next] = entry
            next = (next + 1) % Self.length
        }
    }

    /// What became of the newest one.
    mutating func amend(_ outcome: String) {
        guard !entries.isEmpty else { return }
        let last = entries.count < Self.length ? entries.count - 1 : (next + Self.length - 1) % Self.length
        entries[last] += outcome
    }

    var all: [String] { Array(entries[next...] + entries[..<next]) }
}
