import NIOCore

/// Knows when a connection has to be given up: nothing happens on it, a frame does not become complete, or the peer
/// does not read what was sent to it.
///
/// Pure: time comes as an argument; deadlines are the event loop's monotonic time.
struct Watchdog {
    enum Verdict: Equatable {
        case idle
        case incompleteFrame
        case notDraining
    }

    private let idleTimeout: TimeAmount
    private let frameTimeout: TimeAmount
    private let drainTimeout: TimeAmount
    private var lastActivity: NIODeadline
    private var frameBegan: NIODeadline?
    private var outputHighSince: NIODeadline?

    init(limits: ConnectionLimits, now: NIODeadline) {
        self.idleTimeout = TimeAmount(limits.idleTimeout)
        self.frameTimeout = TimeAmount(limits.frameTimeout)
        self.drainTimeout = TimeAmount(limits.drainTimeout)
        self.lastActivity = now
    }

    mutating func active(now: NIODeadline) {
        lastActivity = now
    }

    /// Called after the bytes at hand were decoded.
    /// - Parameters:
    ///   - isPartial: a part of a frame is left, and more of it may be read.
    ///   - isNew: a frame was completed since the last call, so that this part is another frame's.
    mutating func decoded(isPartial: Bool, isNew: Bool, now: NIODeadline) {
        guard isPartial else {
            frameBegan = nil
            return
        }
        if isNew || frameBegan == nil {
            frameBegan = now
        }
    }

    mutating func outputChanged(isHigh: Bool, now: NIODeadline) {
        outputHighSince = isHigh ? (outputHighSince ?? now) : nil
    }

    var nextDeadline: NIODeadline {
        var next = lastActivity + idleTimeout
        if let frameBegan {
            next = min(next, frameBegan + frameTimeout)
        }
        if let outputHighSince {
            next = min(next, outputHighSince + drainTimeout)
        }
        return next
    }

    /// - Returns: why the connection is to be closed now; `nil` when it is not.
    func verdict(now: NIODeadline) -> Verdict? {
        if let outputHighSince, outputHighSince + drainTimeout <= now { return .notDraining }
        if let frameBegan, frameBegan + frameTimeout <= now { return .incompleteFrame }
        if lastActivity + idleTimeout <= now { return .idle }
        return nil
    }
}
