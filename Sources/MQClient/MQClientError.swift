import MQProtocol

/// An error thrown by ``MQClient``.
///
/// Compare ``code``; `message` and `cause` are for people and may change. The message is one line that names the cause
/// and what to do about it.
public struct MQClientError: Error, CustomStringConvertible {
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        private enum Base: String {
            case noNameServer, nameServersUnreachable, invalidAddress, topicNotFound, topicUnavailable, brokerUnknown
            case brokerUnreachable, groupNotFound, consumerNotOnline, messageNotFound, invalidMessage, requestTimedOut
            case refused, malformedResponse, closed, cancelled, invalidGroup, groupInUse
            case invalidConfiguration, offsetFile, unsupportedByBroker
        }

        private let base: Base

        private init(_ base: Base) {
            self.base = base
        }

        /// No name server address was configured.
        public static let noNameServer = Code(.noNameServer)
        /// None of the configured name servers answered.
        public static let nameServersUnreachable = Code(.nameServersUnreachable)
        /// A text is not an address, or not a list of addresses.
        public static let invalidAddress = Code(.invalidAddress)
        /// The name servers answered, and none of them knows the topic.
        public static let topicNotFound = Code(.topicNotFound)
        /// The topic is known, but no live broker can do what was asked: write to it, or read from it.
        public static let topicUnavailable = Code(.topicUnavailable)
        /// No broker or cluster of that name is registered, or it has no master at the moment: it may register again.
        public static let brokerUnknown = Code(.brokerUnknown)
        /// A registered broker does not answer. What was asked of it may have happened.
        public static let brokerUnreachable = Code(.brokerUnreachable)
        /// No broker knows the consumer group, or it has not consumed anything yet.
        public static let groupNotFound = Code(.groupNotFound)
        /// The consumer group, or the client asked for, has no live connection.
        public static let consumerNotOnline = Code(.consumerNotOnline)
        /// No message has that id or key.
        public static let messageNotFound = Code(.messageNotFound)
        /// The name of a producer or consumer group is not possible.
        public static let invalidGroup = Code(.invalidGroup)
        /// The client already has a producer or consumer of that group.
        public static let groupInUse = Code(.groupInUse)
        /// A configured value cannot be used.
        public static let invalidConfiguration = Code(.invalidConfiguration)
        /// The file with a broadcasting consumer's offsets cannot be read or written.
        public static let offsetFile = Code(.offsetFile)
        /// The message breaks a limit and was not sent.
        public static let invalidMessage = Code(.invalidMessage)
        /// The broker is a stock one and would do less than was asked for. Nothing was sent.
        public static let unsupportedByBroker = Code(.unsupportedByBroker)
        /// No answer came in time. What was asked for may have happened.
        public static let requestTimedOut = Code(.requestTimedOut)
        /// The broker or name server answered with an error; see ``MQClientError/responseCode``.
        public static let refused = Code(.refused)
        /// An answer could not be read.
        public static let malformedResponse = Code(.malformedResponse)
        /// The client was shut down.
        public static let closed = Code(.closed)
        /// The waiting task was cancelled. What was asked for may have happened.
        public static let cancelled = Code(.cancelled)

        public var description: String { base.rawValue }
    }

    public var code: Code
    public var message: String
    /// RocketMQ's response code, when a broker or name server refused the request.
    public var responseCode: Int32?
    public var cause: (any Error)?
    public var fileID: String
    public var line: Int

    public init(
        _ code: Code,
        _ message: String,
        responseCode: Int32? = nil,
        cause: (any Error)? = nil,
        fileID: String = #fileID,
        line: Int = #line
    ) {
        self.code = code
        self.message = message
        self.responseCode = responseCode
        self.cause = cause
        self.fileID = fileID
        self.line = line
    }

    public var description: String { message }

    /// True when trying again, perhaps at another broker, can succeed without anybody changing anything.
    ///
    /// For ``Code/brokerUnreachable`` and ``Code/requestTimedOut`` the first attempt may have succeeded: sending again
    /// can store the message twice.
    public var isRetriable: Bool {
        switch code {
        case .nameServersUnreachable, .brokerUnreachable, .requestTimedOut, .topicUnavailable, .brokerUnknown: true
        case .refused: Self.retriableResponseCodes.contains(responseCode ?? 0)
        default: false
        }
    }

    /// True when the message itself is at fault, so that no later attempt succeeds until somebody changes it, or the
    /// broker's limits: this client refused to send it, or the broker called it illegal (13).
    public var isFaultOfMessage: Bool {
        code == .invalidMessage || code == .refused && responseCode == ResponseCode.messageIllegal.rawValue
    }

    /// The codes after which stock producers try another broker.
    private static let retriableResponseCodes: Set<Int32> = [1, 14, 16, 17, 204, 205]
}
