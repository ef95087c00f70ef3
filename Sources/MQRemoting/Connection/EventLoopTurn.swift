package import NIOCore

/// What one turn of an event loop leaves to its end: staged work of the request handler first, then one write and one
/// flush for each connection that has output.
///
/// Confined to its event loop. The end runs as a task of the loop, which is after every connection that was readable
/// in this turn was read.
package final class EventLoopTurn {
    package let eventLoop: any EventLoop
    /// Called at the end of each turn, before the flushes.
    var onEnd: (() -> Void)?
    private var dirty: [Connection] = []
    private var spare: [Connection] = []
    private var isEndScheduled = false

    package init(eventLoop: any EventLoop) {
        self.eventLoop = eventLoop
    }

    /// Makes sure that this turn has an end: `turnEnded()` is called and everything written so far is flushed. For code
    /// that reached the loop by other ways than a request. Cheap when the end is scheduled already.
    package func requestEnd() {
        guard !isEndScheduled else { return }
        isEndScheduled = true
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        eventLoop.execute { bound.value.end() }
    }

    /// Notes that the connection has output or must look at its limits again. Called once per connection and turn.
    func markDirty(_ connection: Connection) {
        dirty.append(connection)
        requestEnd()
    }

    private func end() {
        // Connections that the staged work makes dirty belong to this end; what the flushes set off needs another.
        onEnd?()
        swap(&dirty, &spare)
        isEndScheduled = false
        for connection in spare {
            connection.turnEnded()
        }
        spare.removeAll(keepingCapacity: true)
    }
}
