import Logging
import MQStore
import NIOCore
import NIOPosix
import Synchronization

/// Writes one side file on a thread that may wait for the disk.
///
/// Changes that arrive while a write runs are covered by the next one, however many they are.
final class SideFileWriter: Sendable {
    private struct State {
        /// Changes announced so far, and how many of them the newest file has.
        var changes = 0
        var written = 0
        var isScheduled = false
        var waiters: [(change: Int, promise: EventLoopPromise<Void>)] = []
    }

    private let file: SideFile
    private let render: @Sendable () -> ByteBuffer
    private let logger: Logger
    private let state = Mutex(State())
    /// Changes that the newest file has, to be read without the lock.
    private let writtenChanges = Atomic<Int>(0)
    /// Held while a file is written: the end of the process writes on its own thread.
    private let writing = Mutex(())

    /// `render` makes the text of the file as it should be now; it is called on any thread.
    init(file: SideFile, logger: Logger, render: @escaping @Sendable () -> ByteBuffer) {
        self.file = file
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

    /// Writes on the calling thread, if anything is not written yet.
    func flush() throws(StoreError) {
        guard state.withLock({ $0.written < $0.changes }) else { return }
        try write()
    }

    private func writeScheduled() {
        state.withLock { $0.isScheduled = false }
        do {
            try write()
        } catch {
            logger.error(
                "a side file was not written; its changes stay in memory until the next write: \(error)"
            )
        }
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
