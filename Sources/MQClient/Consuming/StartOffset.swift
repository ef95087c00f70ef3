import MQProtocol

/// Where a queue is begun that was just taken.
enum StartOffset: Sendable, Hashable {
    case at(Int64)
    case minimum
    case maximum
    /// The first message stored then or later.
    case search(Timestamp)

    /// - Parameters:
    ///   - stored: where the group is, when it has been there.
    ///   - isRetry: the group's retry topic: what waits there was sent back by this very group, so it is never skipped.
    init(_ start: ConsumeStart, stored: Int64?, isRetry: Bool) {
        if let stored, stored >= 0 {
            self = .at(stored)
        } else if isRetry {
            self = .minimum
        } else {
            switch start {
            case .lastOffset: self = .maximum
            case .firstOffset: self = .minimum
            case .timestamp(let time): self = .search(time)
            }
        }
    }
}

/// Where to go on after the broker said that an offset is outside its queue.
struct OffsetCorrection: Sendable, Hashable {
    enum Reason: String, Sendable {
        /// Messages were deleted before they were pulled: the group goes on with the first one left.
        case beforeStart = "before the queue's first message"
        /// The broker has lost the end of its queue, or is a new one. The group goes on behind the last message: from
        /// the beginning, all that was consumed already would come again. Unless it wants that; see
        /// ``ConsumerConfiguration/lostEndHorizon``.
        case pastEnd = "behind the queue's last message"
        /// The broker has lost the end of its queue, and other messages have taken the places.
        case replaced = "in a part of the queue that was lost and written anew"
        /// The broker gives no bounds that explain its answer.
        case unexplained = "outside the queue"
    }

    var reason: Reason
    var offset: Int64

    /// Whether messages that nobody has seen may lie before the offset.
    var isAfterLoss: Bool { reason == .pastEnd || reason == .replaced }

    /// - Parameter last: where the last message was that was seen, and now is another.
    init(replacedAt last: Int64) {
        reason = .replaced
        offset = last
    }

    init(asked: Int64, minimum: Int64, maximum: Int64, suggested: Int64) {
        if maximum >= 0, asked > maximum {
            reason = .pastEnd
            offset = maximum
        } else if minimum >= 0, asked < minimum {
            reason = .beforeStart
            offset = minimum
        } else {
            reason = .unexplained
            offset = max(asked, suggested)
        }
    }
}
