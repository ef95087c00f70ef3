import GRDB
import Logging
import MQProtocol

/// Fires overdue deadlines whose ring is missing: a lost broker timer heals itself. Also the clock of retries.
struct Sweeper: Sendable {
    let firing: Firing
    let writer: Writer
    let interval: Duration
    let grace: Duration
    let logger: Logger

    private static let batch = 256

    /// Sweeps until the task is cancelled.
    func run() async {
        while (try? await writer.time.sleep(for: interval)) != nil { await sweep() }
    }

    func sweep() async {
        let names = firing.handlers.keys.sorted()
        while !Task.isCancelled {
            let now = writer.time.now()
            let before = now.advanced(by: .zero - grace)
            do {
                let overdue = try await writer.read { db in
                    try DeadlineTable.overdue(db, names: names, before: before, now: now, limit: Self.batch)
                }
                guard !overdue.isEmpty else { return }
                let isTroubled = await firing.fire(overdue.map { Firing.Candidate(deadline: $0) })
                if isTroubled || overdue.count < Self.batch { return }
            } catch {
                return logger.warning("overdue deadlines cannot be read", metadata: ["error": "\(error)"])
            }
        }
    }
}
