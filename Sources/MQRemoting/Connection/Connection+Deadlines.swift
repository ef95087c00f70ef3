import NIOCore

/// One timer per connection: it fires at the earliest of the connection's own deadlines and those of its requests, and
/// is moved only when an earlier one appears.
extension Connection {
    func armTimer() {
        guard isOpen else { return }
        var next = watch.nextDeadline
        if let request = table.nextDeadline {
            next = min(next, request)
        }
        if let timerDeadline, timerDeadline <= next, timer != nil {
            return
        }
        timer?.cancel()
        timerDeadline = next
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        timer = eventLoop.scheduleTask(deadline: next) { bound.value.timerFired() }
    }

    private func timerFired() {
        timer = nil
        guard isOpen else { return }
        let now = eventLoop.now
        expireRequests(now: now)
        if let verdict = watch.verdict(now: now) {
            close(verdict.error(remoteAddress: "\(remoteAddress)", limits: limits))
        } else {
            armTimer()
        }
    }
}

extension Watchdog.Verdict {
    fileprivate func error(remoteAddress: String, limits: ConnectionLimits) -> RemotingError {
        let reason =
            switch self {
            case .idle: "nothing happened on the connection to \(remoteAddress) for \(limits.idleTimeout)"
            case .incompleteFrame: "\(remoteAddress) did not complete a frame within \(limits.frameTimeout)"
            case .notDraining: "\(remoteAddress) did not read what was sent to it for \(limits.drainTimeout)"
            }
        return RemotingError(.closed, reason, address: remoteAddress)
    }
}
