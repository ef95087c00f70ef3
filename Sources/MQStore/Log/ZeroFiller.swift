package import Logging
import Synchronization

/// The thread that keeps zeros ahead of the writer: the shell around ``CommitLog/zeroFillAhead()``.
package final class ZeroFiller: Sendable {
    /// How long a full or failing disk rests before the next attempt.
    private static let pauseAfterFailure: Duration = .seconds(1)

    private let log: CommitLog
    private let logger: Logger
    private let isStopping = Atomic<Bool>(false)
    private let thread = Mutex<StoreThread?>(nil)

    package init(log: CommitLog, logger: Logger) {
        self.log = log
        self.logger = logger
    }

    package func start() throws(StoreError) {
        let thread = StoreThread(name: "mq-zerofill") { [self] in run() }
        try thread.start()
        self.thread.withLock { $0 = thread }
    }

    /// Ends after the round in progress and joins the thread.
    package func stop() {
        isStopping.store(true, ordering: .releasing)
        log.fillRequest.signal()
        thread.withLock { $0 }?.join()
    }

    private func run() {
        while !isStopping.load(ordering: .acquiring) {
            do throws(StoreError) {
                try log.zeroFillAhead()
                log.fillRequest.wait()
            } catch {
                logger.error("cannot prepare the log ahead of the writer: \(error)")
                log.fillRequest.wait(timeout: Self.pauseAfterFailure)
            }
        }
    }
}
