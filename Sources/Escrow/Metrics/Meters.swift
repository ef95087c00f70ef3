import CoreMetrics
import MQProtocol

/// What a service tells the metrics backend of its process. Each label begins with `escrow_`; the dimension `service`
/// names the service.
///
/// | label | kind | what |
/// |---|---|---|
/// | `published` | counter | rows written to the outbox |
/// | `relayed` | counter | rows that a broker has acknowledged |
/// | `handled` | counter | deliveries whose effect is committed |
/// | `duplicates` | counter | deliveries whose effect had happened before |
/// | `retries` | counter | failed runs of handlers that are made again |
/// | `dead_letters` | counter | messages and deadlines given up |
/// | `deadlines` | counter | deadlines fired |
/// | `stale_rings` | counter | rings of deadlines that were extended, cancelled or fired before |
/// | `check_backs` | counter | check-backs answered with commit or rollback |
/// | `fenced` | counter | transactions that found a rollback fence, or a result of an earlier call |
/// | `resent` | counter | half messages that a broker had lost and whose events were sent again |
/// | `in_doubt` | counter | transactions of which COMMIT failed ambiguously |
/// | `deadline_lateness` | timer | from a deadline's time to the SQLite transaction in which it fires |
/// | `group` | timer | one SQLite transaction of the writer |
struct Meters: Sendable {
    private let counters: [Counter: CoreMetrics.Counter]
    private let lateness: CoreMetrics.Timer
    private let group: CoreMetrics.Timer

    init(service: String, factory: any MetricsFactory) {
        let dimensions = [("service", service)]
        counters = Dictionary(
            uniqueKeysWithValues: Counter.allCases.map {
                ($0, CoreMetrics.Counter(label: "escrow_\($0.label)", dimensions: dimensions, factory: factory))
            })
        lateness = CoreMetrics.Timer(label: "escrow_deadline_lateness", dimensions: dimensions, factory: factory)
        group = CoreMetrics.Timer(label: "escrow_group", dimensions: dimensions, factory: factory)
    }

    func count(_ counter: Counter, by count: Int64 = 1) {
        counters[counter]?.increment(by: count)
    }

    /// What a group has committed, and how long that took.
    func record(_ counts: [Counter: Int64], lateness: [Duration], group: Duration) {
        for (counter, count) in counts { self.count(counter, by: count) }
        for duration in lateness { self.lateness.recordNanoseconds(duration.nanoseconds) }
        self.group.recordNanoseconds(group.nanoseconds)
    }
}

extension Duration {
    fileprivate var nanoseconds: Int64 {
        components.seconds * 1_000_000_000 + components.attoseconds / 1_000_000_000
    }
}

extension Counter {
    fileprivate var label: String {
        switch self {
        case .duplicatesSuppressed: "duplicates"
        case .checkBacks: "check_backs"
        case .deadlinesFired: "deadlines"
        case .staleRings: "stale_rings"
        case .deadLetters: "dead_letters"
        case .fenced: "fenced"
        case .resentEvents: "resent"
        case .published: "published"
        case .relayed: "relayed"
        case .handled: "handled"
        case .retries: "retries"
        case .inDoubt: "in_doubt"
        }
    }
}
