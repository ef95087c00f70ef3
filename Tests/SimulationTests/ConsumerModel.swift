import Logging
import NIOCore
import TestSupport

@testable import MQStore

/// The progress of consumers, kept in a side file as the broker keeps its own.
struct ConsumerModel {
    /// Next offset by the queue's number in the model.
    typealias Offsets = [Int: Int64]

    struct Unreadable: Error {}

    /// What was acknowledged, as it is in memory.
    private var offsets = Offsets()
    /// What the disk may hold: one state, or several after writes that failed.
    private var possible = [Offsets()]

    mutating func consume(_ model: Model, _ random: inout SeededGenerator) {
        let number = random.below(model.queues.count)
        let present = offsets[number] ?? 0
        offsets[number] = min(present + Int64(random.below(4)), model.queues[number].next)
    }

    mutating func save(_ device: SimulatedDevice) throws {
        possible.append(offsets)
        try Self.file(device).save(Self.encode(offsets))
        possible = [offsets]
    }

    /// After a start: exactly a state that was saved.
    ///
    /// - Parameter isDurable: whether it is what a power loss left. What a killed process left may still be in memory
    ///   only, and the next power loss may bring back an earlier one.
    mutating func verify(_ device: SimulatedDevice, isDurable: Bool) throws {
        let loaded = try Self.file(device).load { try Self.parse($0) }.value ?? Offsets()
        guard possible.contains(loaded) else {
            throw Violation(.consumerOffsets, "\(loaded), not \(possible)")
        }
        offsets = loaded
        if isDurable { possible = [loaded] }
    }

    /// One line for each queue, and a last one that shows that none is missing.
    private static func encode(_ offsets: Offsets) -> ByteBuffer {
        let lines = offsets.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)\n" }
        return ByteBuffer(string: lines.joined() + "\(lines.count) lines\n")
    }

    private static func parse(_ text: ByteBuffer) throws -> Offsets {
        let lines = String(buffer: text).split(separator: "\n")
        guard let last = lines.last, last == "\(lines.count - 1) lines" else { throw Unreadable() }
        var offsets = Offsets()
        for line in lines.dropLast() {
            let words = line.split(separator: " ")
            guard words.count == 2, let number = Int(words[0]), let offset = Int64(words[1]) else { throw Unreadable() }
            offsets[number] = offset
        }
        return offsets
    }

    private static func file(_ device: SimulatedDevice) -> SideFile {
        SideFile(
            device: device, path: "/store/config/consumers",
            logger: Logger(label: "simulation") { _ in SwiftLogNoOpLogHandler() }
        )
    }
}
