/// One thing that is not as it should be in a closed store: where, why, and what repairing would do.
package struct StoreFinding: Sendable, Hashable {
    package enum Severity: String, Sendable, Comparable {
        /// Harmless, or what a kill leaves and the next start puts in order.
        case note
        /// Derived or kept twice: repairing mends it, and no message is lost.
        case damage
        /// Bytes that exist nowhere else are wrong or gone.
        case loss

        private var rank: Int {
            switch self {
            case .note: 0
            case .damage: 1
            case .loss: 2
            }
        }

        package static func < (left: Self, right: Self) -> Bool { left.rank < right.rank }
    }

    package enum Kind: String, Sendable, CaseIterable {
        /// The store was not closed.
        case unclean
        case strangeFile = "strange-file"
        case wrongLength = "wrong-length"
        case missingSegment = "missing-segment"
        /// The device does not return the bytes.
        case unreadable
        case damagedRecord = "damaged-record"
        case tornTail = "torn-tail"
        /// Queue offsets that no record of the log has, or that two have.
        case queueOffset = "queue-offset"
        /// The log ends before what was durable.
        case shortLog = "short-log"
        case queueEntry = "queue-entry"
        case queueFile = "queue-file"
        case missingQueue = "missing-queue"
        case index
        case checkpoint
        case sideFile = "side-file"
        /// Delay, timer or transaction state that contradicts the log.
        case state
    }

    package var kind: Kind
    package var severity: Severity
    package var path: String
    /// Byte in the file; nil when the whole file is meant.
    package var offset: Int?
    package var cause: String
    /// Nil when nothing can be done by a program.
    package var step: RepairStep?
    /// What repairing would do, or what a person can.
    package var remedy: String

    package init(
        _ kind: Kind, _ severity: Severity, _ path: String, at offset: Int? = nil, _ cause: String,
        step: RepairStep? = nil, remedy: String? = nil
    ) {
        self.kind = kind
        self.severity = severity
        self.path = path
        self.offset = offset
        self.cause = cause
        self.step = step
        self.remedy = remedy ?? step?.text ?? "nothing to do"
    }

    package var place: String { offset.map { "\(path) at \($0)" } ?? path }
}
