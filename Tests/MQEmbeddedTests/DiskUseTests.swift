import MQBroker
import MQProtocol
import MQStore
import Testing

@testable import MQEmbedded

/// A broker in a process shares its disk with whatever else is there.
@Suite struct DiskUseTests {
    @Test func `However full the disk is, nothing goes before its age and nothing is refused for the disk's share`() {
        let storage = EmbeddedBrokerConfiguration().broker("/d", nameServer: "127.0.0.1:1").storage
        var settings = RetentionSettings()
        settings.deletesUnexpired = storage.forcedDeletion
        settings.forcedRatio = Double(storage.forcedDeletionPercent) / 100
        settings.fullRatio = Double(storage.diskFullPercent) / 100
        var plan = RetentionPlan(settings: settings)
        let now = Timestamp(milliseconds: 1_700_000_000_000)
        let segments = (0..<3).map { number in
            RetentionPlan.Segment(
                start: LogOffset(rawValue: Int64(number) * 100), end: LogOffset(rawValue: Int64(number) * 100 + 100),
                lastWrite: now)
        }
        let decision = plan.run(
            now: now, localHour: 12, segments: segments, logUsage: DiskUsage(ratio: 1), queueUsage: DiskUsage(ratio: 1))
        #expect(decision.deleteBelow == nil && !decision.isFull)
        // Above the watermark what a group has not consumed would not be kept beyond its age.
        #expect(storage.retainsUnconsumed && !decision.isAboveWatermark)
    }
}
