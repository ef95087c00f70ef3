import Logging
import ServiceLifecycle
import Synchronization

/// Logs RocketMQ's lines around a clean stop. Last in the group, so it is told first.
final class ShutdownAnnouncement: Service {
    private let logger: Logger
    private let began = Mutex<ContinuousClock.Instant?>(nil)

    init(logger: Logger) {
        self.logger = logger
    }

    func run() async throws {
        try? await gracefulShutdown()
        began.withLock { $0 = .now }
        logger.notice("Shutdown hook was invoked, 1")
    }

    func end() {
        guard let began = began.withLock({ $0 }) else { return }
        let elapsed = began.duration(to: .now).components
        let milliseconds = elapsed.seconds * 1000 + elapsed.attoseconds / 1_000_000_000_000_000
        logger.notice("Shutdown hook over, consuming total time(ms): \(milliseconds)")
    }
}
