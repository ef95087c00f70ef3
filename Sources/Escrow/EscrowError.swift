/// An error thrown by the framework.
///
/// Compare ``code``; `message` and `cause` are for people and may change. The message is one line that names the cause
/// and what to do about it. A body's own error is never wrapped: it is rethrown as it is.
public struct EscrowError: Error, CustomStringConvertible {
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        private enum Base: String {
            case invalidEvent, invalidName, invalidConfiguration, registeredTwice, registeredTooLate, notRunning,
                runTwice, stopped, undeliverable
            case brokerUnavailable, databaseBusy, databaseFull, databaseFailed, databaseUnsuitable
            case foreignMember, resultMismatch, deadlineUnknown
        }

        private let base: Base

        private init(_ base: Base) {
            self.base = base
        }

        /// An event or the key of a deadline breaks a limit, of this client or of the broker, or cannot be encoded.
        /// Nothing was published or written.
        public static let invalidEvent = Code(.invalidEvent)
        /// A service, consumer, deadline or transaction kind has a name that cannot be used.
        public static let invalidName = Code(.invalidName)
        /// Settings contradict each other; the message shows the arithmetic.
        public static let invalidConfiguration = Code(.invalidConfiguration)
        /// The same handler was registered before.
        public static let registeredTwice = Code(.registeredTwice)
        /// Handlers are registered before ``Escrow/run()``.
        public static let registeredTooLate = Code(.registeredTooLate)
        /// ``Escrow/run()`` is not running, so there is no connection to a broker.
        public static let notRunning = Code(.notRunning)
        /// ``Escrow/run()`` was called before: a service runs once.
        public static let runTwice = Code(.runTwice)
        /// The service was shut down.
        public static let stopped = Code(.stopped)
        /// The broker did not take the half messages. The body did not run, nothing happened.
        public static let brokerUnavailable = Code(.brokerUnavailable)
        /// A message of a committed transaction was refused for good, and stands among the dead letters.
        public static let undeliverable = Code(.undeliverable)
        /// Another process holds SQLite's write lock for longer than the busy timeout. Nothing happened.
        public static let databaseBusy = Code(.databaseBusy)
        /// No space is left for the database. Nothing happened.
        public static let databaseFull = Code(.databaseFull)
        /// SQLite reported an input/output error or corruption. Nothing happened, unless the message says otherwise.
        public static let databaseFailed = Code(.databaseFailed)
        /// The database cannot give what the guarantees need: no write-ahead log, no full synchronisation, a schema of
        /// a newer version.
        public static let databaseUnsuitable = Code(.databaseUnsuitable)
        /// A process with another database has joined this service's groups.
        public static let foreignMember = Code(.foreignMember)
        /// A transaction was asked for again with the same key, and its stored result is of another type.
        public static let resultMismatch = Code(.resultMismatch)
        /// No deadline of that name is registered by this service, or none of that name and key was armed.
        public static let deadlineUnknown = Code(.deadlineUnknown)

        public var description: String { base.rawValue }
    }

    public var code: Code
    public var message: String
    public var cause: (any Error)?
    public var fileID: String
    public var line: Int

    public init(
        _ code: Code, _ message: String, cause: (any Error)? = nil, fileID: String = #fileID, line: Int = #line
    ) {
        self.code = code
        self.message = message
        self.cause = cause
        self.fileID = fileID
        self.line = line
    }

    public var description: String { message }

    /// True when the same call can succeed later without anybody changing anything.
    public var isRetriable: Bool {
        switch code {
        case .brokerUnavailable, .databaseBusy, .databaseFull, .notRunning: true
        default: false
        }
    }
}
