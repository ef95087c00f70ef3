package import Logging
package import MQProtocol
import Synchronization

/// The thread that makes appended records durable: the shell around ``CommitLog/flush()``.
package final class Flusher: Sendable {
    /// How long a failed flush rests before the repair is tried.
    private static let pauseAfterFailure: Duration = .milliseconds(500)
    /// With the synchronous policy every append wakes the thread: this is for what came while a flush failed.
    private static let idleInterval: Duration = .milliseconds(500)

    private let log: CommitLog
    private let interval: Duration
    private let logger: Logger
    private let flushed: @Sendable (LogOffset) -> Void
    private let failed: @Sendable (StoreError) -> Void
    private let wakeup = Wakeup()
    private let isStopping = Atomic<Bool>(false)
    private let thread = Mutex<StoreThread?>(nil)

    /// - Parameters:
    ///   - flushed: the log is durable up to the offset; called after each flush that made more of it so.
    ///   - failed: nothing appended since the last `flushed` may be acknowledged.
    package init(
        log: CommitLog,
        policy: StoreConfiguration.FlushPolicy,
        logger: Logger,
        flushed: @escaping @Sendable (LogOffset) -> Void,
        failed: @escaping @Sendable (StoreError) -> Void
    ) {
        self.log = log
        self.logger = logger
        self.flushed = flushed
        self.failed = failed
        switch policy {
        case .synchronous: interval = Self.idleInterval
        case .asynchronous(let period): interval = period
        }
    }

    package func start() throws(StoreError) {
        let thread = StoreThread(name: "mq-flush") { [self] in run() }
        try thread.start()
        self.thread.withLock { $0 = thread }
    }

    /// Flushes as soon as the flush in progress, if any, is done. Cheap when the thread is busy.
    package func wake() { wakeup.signal() }

    /// Flushes once more and joins the thread.
    package func stop() {
        isStopping.store(true, ordering: .releasing)
        wakeup.signal()
        thread.withLock { $0 }?.join()
    }

    private func run() {
        var reported = log.flushedOffset
        while true {
            let isLast = isStopping.load(ordering: .acquiring)
            let succeeded = round(&reported)
            if isLast { return }
            if succeeded {
                wakeup.wait(timeout: interval)
            } else {
                // Everyone who appends would wake us; the disk gets its pause all the same.
                pause()
            }
        }
    }

    private func pause() {
        let deadline = ContinuousClock.now.advanced(by: Self.pauseAfterFailure)
        while !isStopping.load(ordering: .acquiring) {
            let left = ContinuousClock.now.duration(to: deadline)
            if left <= .zero { return }
            wakeup.wait(timeout: left)
        }
    }

    private func round(_ reported: inout LogOffset) -> Bool {
        do throws(StoreError) {
            let end = try log.flush()
            if end > reported {
                reported = end
                flushed(end)
            }
            return true
        } catch {
            logger.error("flush failed, nothing is acknowledged until it is repaired: \(error)")
            failed(error)
            return false
        }
    }
}
