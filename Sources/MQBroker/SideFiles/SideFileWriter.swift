import Logging
import MQProtocol
import MQStore
import NIOCore
import NIOPosix
import Synchronization

/// Writes one side file on a thread that may wait for the disk.
///
/// Changes that arrive while a write runs are covered by the next one, however many they are. A write that fails is
/// tried again, whether anything changes or not: a full disk has room again some time.
final class SideFileWriter: Sendable {
    static let retryPause = Duration.seconds(10)

    private struct State {
        /// Changes announced so far, and how many of them the newest file has.
        var changes = 0
        var written = 0
        var isScheduled = false
        /// A write failed, and its pause runs.
        var isRetrying = false
        /// The process ends: what is written later may not be ours to write.
        var isClosed = false
        var waiters: [(change: Int, promise: EventLoopPromise<Void>)] = []
    }

    private let file: SideFile
    private let render: @Sendable () -> ByteBuffer
    private let time: TimeSource
    private let logger: Logger
    private let state = Mutex(State())
    /// Changes that the newest file has, to be read without the lock.
    private let writtenChanges = Atomic<Int>(0)
    /// Held while a file is written: the end of the process writes on its own thread.
    private let writing = Mutex(())

    /// `render` makes the text of the file as it should be now; it is called on any thread.
    init(file: SideFile, time: TimeSource, logger: Logger, render: @escaping @Sendable () -> ByteBuffer) {
        self.file = file
        self.time = time
        self.logger = logger
        self.render = render
    }

    /// The number of the next change to be announced. A change made in the same hold of the lock that `render` takes is
    /// in the file once ``isWritten(_:)`` says so of this number.
    var nextChange: Int { state.withLock { $0.changes + 1 } }

    /// Whether the newest file has the change of this number. On the path of every send.
    func isWritten(_ change: Int) -> Bool { writtenChanges.load(ordering: .acquiring) >= change }

    /// There is something new to write: schedules a write unless one is scheduled.
    func changed() {
        state.withLock { $0.changes += 1 }
        schedule()
    }

    private func schedule() {
        let mustSchedule = state.withLock { state in
            defer { state.isScheduled = true }
            return !state.isScheduled
        }
        guard mustSchedule else { return }
        NIOThreadPool.singleton.submit { _ in self.writeScheduled() }
    }

    /// Completes when every change announced so far is on disk, and the one numbered `change` if it is still to be
    /// announced; fails with the error of the write. What an earlier write could not bring there is tried again.
    func persisted(on eventLoop: any EventLoop, change: Int = 0) -> EventLoopFuture<Void> {
        let promise = eventLoop.makePromise(of: Void.self)
        let isWritten = state.withLock { state in
            let wanted = max(state.changes, change)
            if state.written >= wanted { return true }
            state.waiters.append((wanted, promise))
            return false
        }
        // A write may have failed before anyone waited for it: whoever comes now has it tried again.
        if isWritten { promise.succeed(()) } else { schedule() }
        return promise.futureResult
    }

    /// Writes on the calling thread, if anything is not written yet. For the end of the process: nothing is tried again
    /// afterwards.
    func flush() throws(StoreError) {
        let isWritten = state.withLock { state in
            state.isClosed = true
            return state.written >= state.changes
        }
        guard !isWritten else { return }
        try write()
    }

    private func writeScheduled() {
        state.withLock { $0.isScheduled = false }
        do {
            try write()
        } catch {
            logger.error("a side file was not written, trying again in \(Self.retryPause): \(error)")
            retryLater()
        }
    }

    private func retryLater() {
        let isFirst = state.withLock { state in
            defer { state.isRetrying = true }
            return !state.isRetrying
        }
        guard isFirst else { return }
        Task { [weak self, time] in
            try? await time.sleep(for: Self.retryPause)
            self?.retry()
        }
    }

    private func retry() {
        let isOpen = state.withLock { state in
            state.isRetrying = false
            return !state.isClosed
        }
        if isOpen { schedule() }
    }

    private func write() throws(StoreError) {
        let (change, result): (Int, Result<Void, StoreError>) = writing.withLock { _ in
            let (change, isWritten) = state.withLock { ($0.changes, $0.written >= $0.changes) }
            // Another thread may have written it while this one was scheduled.
            if isWritten { return (change, .success(())) }
            do throws(StoreError) {
                try file.save(render())
                state.withLock { state in
                    state.written = max(state.written, change)
                    writtenChanges.store(state.written, ordering: .releasing)
                }
                return (change, .success(()))
            } catch {
                return (change, .failure(error))
            }
        }
        settle(result, upTo: change)
        try result.get()
    }

    /// Lets those go whose changes the write was to cover; for later ones another write is scheduled.
    private func settle(_ result: Result<Void, StoreError>, upTo change: Int) {
        let settled = state.withLock { state in
            let settled = state.waiters.filter { $0.change <= change }
            state.waiters.removeAll { $0.change <= change }
            return settled
        }
        for waiter in settled {
            switch result {
            case .success: waiter.promise.succeed(())
            case .failure(let error): waiter.promise.fail(error)
            }
        }
    }
}
