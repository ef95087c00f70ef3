import MQProtocol
package import MQStore
package import NIOCore

/// What a broker knows of a closed store beyond the store itself: its files under `config`, and what they claim of the
/// log.
package enum BrokerStoreCheck {
    /// The broker's files, each with the parser that loads it at a start.
    package static let sideFiles: [SideFileFormat] = [
        SideFileFormat(path: topics, seal: .advisory) { _ = try TopicFile(parsing: $0) },
        SideFileFormat(path: "config/subscriptionGroup.json", seal: .advisory) { _ = try GroupFile(parsing: $0) },
        SideFileFormat(path: offsets, seal: .binding) { _ = try ConsumerOffsets(parsing: $0) },
        SideFileFormat(path: levelOffsets, seal: .binding) { _ = try DelayOffsetsBody.decode($0) },
        SideFileFormat(path: watermark) { _ = try FiringWatermark.decode($0) },
        SideFileFormat(path: "config/transactionChecks.json") { _ = try CheckCounts.decode($0) },
    ]

    private static let topics = "config/topics.json"
    private static let offsets = "config/consumerOffset.json"
    private static let levelOffsets = "config/delayOffset.json"
    private static let watermark = "config/timerWatermark.json"

    /// Whether a topic exists; nil when the file of topics cannot be read.
    package static func isKnownTopic(_ files: [String: ByteBuffer], _ topic: String) -> Bool? {
        // Light queues have no topic of their own.
        if SystemTopic.contains(topic) || topic.hasPrefix(TopicName.lightQueuePrefix) { return true }
        guard let text = files[topics], let file = try? TopicFile(parsing: text) else { return nil }
        return file.topics.contains { $0.topicName == topic }
    }

    /// Positions that lie beyond what they are positions in: consumers, delay levels, timers, transactions.
    package static func findings(_ report: VerifyReport, root: String) -> [StoreFinding] {
        consumerFindings(report, root) + delayFindings(report, root)
    }

    private static func consumerFindings(_ report: VerifyReport, _ root: String) -> [StoreFinding] {
        guard let text = report.sideFiles[offsets], let stored = try? ConsumerOffsets(parsing: text) else { return [] }
        var findings: [StoreFinding] = []
        for (pair, places) in stored.table.sorted(by: { $0.key.key < $1.key.key }) {
            for (queueID, offset) in places.sorted(by: { $0.key < $1.key }) {
                let end = report.queueEnds[QueueName(topic: pair.topic, queueID: queueID)] ?? 0
                guard offset > end else { continue }
                findings.append(
                    StoreFinding(
                        .state, .note, "\(root)/\(offsets)",
                        "\(pair.group) is at \(offset) of queue \(queueID) of \(pair.topic), which ends at \(end)",
                        remedy: "the broker sends its consumers back to the end of the queue"))
            }
        }
        return findings
    }

    private static func delayFindings(_ report: VerifyReport, _ root: String) -> [StoreFinding] {
        var findings: [StoreFinding] = []
        func note(_ file: String, _ cause: String) {
            findings.append(
                StoreFinding(
                    .state, .note, "\(root)/\(file)", cause,
                    remedy: "the broker goes back to the end of the queue at its start"))
        }
        if let text = report.sideFiles[levelOffsets], let levels = try? DelayOffsetsBody.decode(text).offsets {
            for (level, offset) in levels.sorted(by: { $0.key < $1.key }) {
                let end = report.queueEnds[QueueName(topic: SystemTopic.schedule, queueID: level - 1)] ?? 0
                if offset > end { note(levelOffsets, "delay level \(level) is at \(offset), its queue ends at \(end)") }
            }
        }
        if let text = report.sideFiles[watermark], let mark = try? FiringWatermark.decode(text) {
            let end = report.queueEnds[QueueName(topic: SystemTopic.timerWheel, queueID: 0)] ?? 0
            if mark.queueEnd.rawValue > end {
                note(watermark, "timers are armed up to \(mark.queueEnd), their queue ends at \(end)")
            }
        }
        return findings
    }
}
