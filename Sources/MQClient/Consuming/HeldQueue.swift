import MQProtocol
import MQRemoting
import Synchronization

/// A queue that this consumer has, with the signals between the task that pulls it and those that handle it.
final class HeldQueue: Sendable {
    let queue: MessageQueue
    let state: Mutex<ProcessQueue>
    /// The queue was given up.
    let ended = Signal()
    /// Something that the pulling side waits for may have happened.
    let pullable = Signal()
    /// No handler has a message of it any more.
    let idle = Signal()
    /// The connection on which the master is known to have the last message that was pulled, and what is before it.
    /// With a ``ConsumerConfiguration/lostEndHorizon`` only.
    let trusted = Mutex<ConnectionHandle?>(nil)

    init(_ queue: MessageQueue, _ state: ProcessQueue) {
        self.queue = queue
        self.state = Mutex(state)
    }

    /// Gives the queue up: nothing more is pulled or handed out.
    func end(_ reason: ProcessQueue.Ending) {
        state.withLock { $0.end(reason) }
        ended.give()
    }

    var commitOffset: Int64 { state.withLock { $0.commitOffset } }
}
