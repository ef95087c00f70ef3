import Foundation
import MQBroker
import MQProtocol
import MQStore

/// A verification and how long it took.
struct StoreVerification {
    let report: VerifyReport
    let seconds: Double

    /// - Parameter lock: the store's, where it is kept for longer.
    static func run(_ configuration: StoreConfiguration, lock: StoreLock? = nil) throws -> StoreVerification {
        let line = ProgressLine(interval: .milliseconds(200), after: .milliseconds(200))
        defer { line.clear() }
        let begun = ContinuousClock.now
        let verifier = StoreVerifier(
            configuration, device: FileDevice(), sideFiles: BrokerStoreCheck.sideFiles
        ) { line.show(Self.text($0)) }
        var report = try verifier.run(lock: lock, isKnownTopic: BrokerStoreCheck.isKnownTopic)
        report.add(BrokerStoreCheck.findings(report, root: configuration.directory))
        let passed = begun.duration(to: .now)
        return StoreVerification(
            report: report,
            seconds: Double(passed.components.seconds) + Double(passed.components.attoseconds) / 1e18)
    }

    private static func text(_ progress: VerifyProgress) -> String {
        let bar = ProgressLine.bar(progress.bytes, of: progress.total)
        return "Reading   \(bar)  \(progress.bytes >> 20) of \(progress.total >> 20) MiB"
    }

    private var gibibytes: Double { Double(report.bytes) / 1_073_741_824 }

    var text: String {
        let lines = report.findings.map { finding in
            "\(finding.severity.rawValue)  \(finding.place): \(finding.cause); repair: \(finding.remedy)"
        }
        return (lines + [summary]).joined(separator: "\n")
    }

    /// What a dry run prints.
    var plan: String {
        let steps = report.steps.map { "would \($0.text)" }
        return ([text] + (steps.isEmpty ? ["There is nothing to repair."] : steps)).joined(separator: "\n")
    }

    private var summary: String {
        let speed = seconds > 0 ? gibibytes / seconds : 0
        let read = String(
            format: "%d records, %d queue entries, %d keys; %.3f GiB in %.2f s, %.2f GiB/s", report.records,
            report.queueEntries, report.indexEntries, gibibytes, seconds, speed)
        var counts: [String] = []
        for severity in [StoreFinding.Severity.loss, .damage, .note] {
            let count = report.findings.count { $0.severity == severity }
            if count > 0 { counts.append("\(severity.rawValue): \(count)") }
        }
        let verdict = report.damage.isEmpty ? ["clean"] + counts : counts
        return "\(read); \(verdict.joined(separator: ", "))"
    }

    private struct Finding: Encodable {
        var kind: String
        var severity: String
        var path: String
        var offset: Int?
        var cause: String
        var repair: String
    }

    private struct Report: Encodable {
        var clean: Bool
        var findings: [Finding]
        var steps: [String]?
        var records: Int
        var halfMessages: Int
        var queueEntries: Int
        var keys: Int
        var logStart: Int64
        var logEnd: Int64
        var bytes: Int
        var seconds: Double
        var gibibytesPerSecond: Double
    }

    /// - Parameter steps: of the repair that was planned or done.
    func json(steps: [RepairStep]? = nil) throws -> String {
        let findings = report.findings.map { finding in
            Finding(
                kind: finding.kind.rawValue, severity: finding.severity.rawValue, path: finding.path,
                offset: finding.offset, cause: finding.cause, repair: finding.remedy)
        }
        let object = Report(
            clean: report.damage.isEmpty, findings: findings, steps: steps?.map(\.text), records: report.records,
            halfMessages: report.halves, queueEntries: report.queueEntries, keys: report.indexEntries,
            logStart: report.logStart.rawValue, logEnd: report.logEnd.rawValue, bytes: report.bytes, seconds: seconds,
            gibibytesPerSecond: seconds > 0 ? gibibytes / seconds : 0)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(object), as: UTF8.self)
    }
}
