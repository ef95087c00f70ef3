/// An error of the network layer.
///
/// Compare ``code``; `message` and `cause` are for people and may change. The message names the address, the cause and
/// what to do about it.
public struct RemotingError: Error, CustomStringConvertible {
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        private enum Base: String {
            case addressInvalid, portInUse, bindFailed, refused, connectTimedOut, connectFailed, notSent
            case disconnected, requestTimedOut, cancelled, protocolViolation, tls, configuration, closed
        }

        private let base: Base

        private init(_ base: Base) {
            self.base = base
        }

        /// The text is not `host:port`.
        public static let addressInvalid = Code(.addressInvalid)
        /// Another process listens on the address.
        public static let portInUse = Code(.portInUse)
        /// The address cannot be listened on for any other reason.
        public static let bindFailed = Code(.bindFailed)
        /// Nobody listens at the address. The request was not sent.
        public static let refused = Code(.refused)
        /// The address did not answer the connection attempt in time. The request was not sent.
        public static let connectTimedOut = Code(.connectTimedOut)
        /// The connection could not be opened for any other reason. The request was not sent.
        public static let connectFailed = Code(.connectFailed)
        /// The connection was closed just before the request was written. The request was not sent.
        public static let notSent = Code(.notSent)
        /// The connection ended while the request waited: the peer may or may not have acted on it.
        public static let disconnected = Code(.disconnected)
        /// No response came in time: the peer may or may not have acted on the request.
        public static let requestTimedOut = Code(.requestTimedOut)
        /// The waiting task was cancelled: the peer may or may not have acted on the request.
        public static let cancelled = Code(.cancelled)
        /// The peer sent something that is no frame.
        public static let protocolViolation = Code(.protocolViolation)
        /// A certificate or key cannot be used.
        public static let tls = Code(.tls)
        /// A configured value cannot be used.
        public static let configuration = Code(.configuration)
        /// This client, server or connection was shut down on this side.
        public static let closed = Code(.closed)

        public var description: String { base.rawValue }
    }

    public var code: Code
    public var message: String
    /// `host:port` of the peer, or the address to listen on.
    public var address: String?
    public var cause: (any Error)?
    public var fileID: String
    public var line: Int

    public init(
        _ code: Code,
        _ message: String,
        address: String? = nil,
        cause: (any Error)? = nil,
        fileID: String = #fileID,
        line: Int = #line
    ) {
        self.code = code
        self.message = message
        self.address = address
        self.cause = cause
        self.fileID = fileID
        self.line = line
    }

    public var description: String { message }

    /// True when the peer certainly did not see the request, so that sending it again cannot repeat its effect.
    public var isNotSent: Bool {
        switch code {
        case .addressInvalid, .refused, .connectTimedOut, .connectFailed, .notSent: true
        default: false
        }
    }
}
