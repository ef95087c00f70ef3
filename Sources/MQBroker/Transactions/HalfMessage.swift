package import MQProtocol

/// What the broker remembers of an undecided half message: enough to find, check and end it without reading the log.
package struct HalfMessage: Sendable, Equatable {
    /// Where the stored record starts; the number a producer sends back as `commitLogOffset`.
    package var logOffset: LogOffset
    /// The record's place in the half topic's queue; the number a producer sends back as `tranStateTableOffset`.
    package var queueOffset: QueueOffset
    /// Bytes of the stored record.
    package var size: Int32
    /// The producer group that may decide.
    package var group: String
    /// The client's unique key; copies of a half share it.
    package var uniqueKey: String
    /// By the producer's clock, but not after its arrival: checks count from here.
    package var bornTimestamp: Timestamp
    /// When it was sent, by the producer's clock alone; of several copies that are known, the first.
    package var sent: Timestamp
    /// The record's own delay before its first check (`CHECK_IMMUNITY_TIME_IN_SECONDS`); nil: the broker's timeout.
    package var immunity: Duration?
    /// Where the first copy began, for a copy of a half without a unique key.
    package var firstCopy: LogOffset?
    /// Checks that reached a producer before this record was written; stock brokers note them in each copy.
    package var earlierChecks: Int

    package init(
        logOffset: LogOffset,
        queueOffset: QueueOffset,
        size: Int32,
        group: String,
        uniqueKey: String,
        bornTimestamp: Timestamp,
        sent: Timestamp? = nil,
        immunity: Duration? = nil,
        firstCopy: LogOffset? = nil,
        earlierChecks: Int = 0
    ) {
        self.logOffset = logOffset
        self.queueOffset = queueOffset
        self.size = size
        self.group = group
        self.uniqueKey = uniqueKey
        self.bornTimestamp = bornTimestamp
        self.sent = sent ?? bornTimestamp
        self.immunity = immunity
        self.firstCopy = firstCopy
        self.earlierChecks = earlierChecks
    }
}

/// What a transaction comes to. Once it is commit or rollback it is final.
package enum Verdict: UInt8, Sendable {
    case commit
    case rollback

    package var opposite: Verdict { self == .commit ? .rollback : .commit }

    /// The value of the op record's verdict property.
    package var text: String { self == .commit ? "commit" : "rollback" }

    package init?(text: String) {
        switch text {
        case "commit": self = .commit
        case "rollback": self = .rollback
        default: return nil
        }
    }
}

/// When an undecided half message is asked about.
package struct CheckSchedule: Sendable {
    /// Age of a half without an immunity of its own at its first check. Default: 6 s.
    package var timeout: Duration
    /// Pause between the first and the second check; doubles up to ``longestInterval``. Default: 60 s.
    package var interval: Duration
    /// Default: 10 min.
    package var longestInterval: Duration
    /// Checks that reached a producer before the half is listed as unresolved. Default: 15.
    package var maximumChecks: Int
    /// Pause before a check that nobody could receive is tried again; it does not count.
    package var absentProducerPause: Duration

    package init(
        timeout: Duration = .seconds(6),
        interval: Duration = .seconds(60),
        longestInterval: Duration = .seconds(600),
        maximumChecks: Int = 15,
        absentProducerPause: Duration = .seconds(5)
    ) {
        self.timeout = timeout
        self.interval = interval
        self.longestInterval = longestInterval
        self.maximumChecks = maximumChecks
        self.absentProducerPause = absentProducerPause
    }

    /// Age of the half at its first check.
    func immunity(of half: HalfMessage) -> Duration { half.immunity ?? timeout }

    /// - Parameter now: counts instead of the birth that a half has in the future: the clock was set back since.
    func firstCheck(of half: HalfMessage, now: Timestamp) -> Timestamp {
        min(half.bornTimestamp, now).advanced(by: immunity(of: half))
    }

    /// The pause after the `count`-th check (1-based) that reached a producer.
    func pause(afterCheck count: Int) -> Duration {
        var pause = interval
        for _ in 1..<max(count, 1) where pause < longestInterval { pause = pause * 2 }
        return min(pause, longestInterval)
    }
}
