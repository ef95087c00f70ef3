package import NIOCore

/// What one turn of an event loop leaves to its end: staged work of the request handler first, then one write and one
/// flush for each connection that has output.
///
/// Confined to its event loop. The end runs as a task of the loop, which is after every connection that was readable
/// in this turn was read. A turn that brings many requests ends in parts before that: the peer then works on the first
/// answers, and the disk on the first records, while the rest is still handled.
package final class EventLoopTurn {
    package let eventLoop: any EventLoop
    /// Called at the end of each turn, before the flushes.
    var onEnd: (() -> Void)?
    private var dirty: [Connection] = []
    private var spare: [Connection] = []
    private var isEndScheduled = false
    private var isEnding = false
    /// Requests handled since the last end of a part.
    private var handled = 0

    /// Large enough that a write to the log and one to the socket are little for each request.
    private static let requestsPerPart = 32

    package init(eventLoop: any EventLoop) {
        self.eventLoop = eventLoop
    }

    /// Makes sure that this turn has an end: `turnEnded()` is called and everything written so far is flushed. For code
    /// that reached the loop by other ways than a request. Cheap when the end is scheduled already.
    package func requestEnd() {
        guard !isEndScheduled else { return }
        isEndScheduled = true
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        eventLoop.execute { bound.value.endPart(isLast: true) }
    }

    /// Notes that the connection has output or must look at its limits again. Called once per connection and turn.
    func markDirty(_ connection: Connection) {
        dirty.append(connection)
        requestEnd()
    }

    /// Notes that a request was handled, and ends a part of the turn when it was one of many.
    func requestHandled() {
        handled += 1
        if handled >= Self.requestsPerPart, !isEnding { endPart(isLast: false) }
    }

    private func endPart(isLast: Bool) {
        handled = 0
        isEnding = true
        // Connections that the staged work makes dirty belong to this end; what the flushes set off needs another.
        onEnd?()
        swap(&dirty, &spare)
        if isLast { isEndScheduled = false }
        for connection in spare {
            connection.turnEnded()
        }
        spare.removeAll(keepingCapacity: true)
        isEnding = false
    }
}
