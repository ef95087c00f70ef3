import Logging
import MQProtocol
import TestSupport

@testable import MQBroker
@testable import MQStore

/// A consumer group's progress, kept in the broker's file of consumer offsets.
struct ConsumerModel {
    private static let group = "group"

    /// What was acknowledged, as it is in memory.
    private var offsets = ConsumerOffsets()
    /// What the disk may hold: one state, or several after writes that failed.
    private var possible = [ConsumerOffsets()]

    mutating func consume(_ model: Model, _ random: inout SeededGenerator) {
        let queue = model.queues[random.below(model.queues.count)]
        let pair = TopicGroup(topic: queue.topic, group: Self.group)
        let present = offsets.offset(pair, queueID: queue.queueID) ?? 0
        let next = min(present + Int64(random.below(4)), queue.next)
        _ = offsets.commit(pair, queueID: queue.queueID, offset: next)
    }

    mutating func save(_ device: SimulatedDevice) throws {
        possible.append(offsets)
        try Self.file(device).save(offsets.text)
        possible = [offsets]
    }

    /// After a start: exactly a state that was saved.
    ///
    /// - Parameter isDurable: whether it is what a power loss left. What a killed process left may still be in memory
    ///   only, and the next power loss may bring back an earlier one.
    mutating func verify(_ device: SimulatedDevice, isDurable: Bool) throws {
        let loaded = try Self.file(device).load { try ConsumerOffsets(parsing: $0) }.value ?? ConsumerOffsets()
        guard possible.contains(loaded) else {
            throw Violation("consumer offsets are those that were saved", "\(loaded.table), not \(possible)")
        }
        offsets = loaded
        if isDurable { possible = [loaded] }
    }

    private static func file(_ device: SimulatedDevice) -> SideFile {
        SideFile(
            device: device, path: "/store/config/consumerOffset.json",
            logger: Logger(label: "simulation") { _ in SwiftLogNoOpLogHandler() }
        )
    }
}
