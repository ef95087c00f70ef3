/// A configuration that cannot be used. The message names key, value, place and what is allowed.
public struct ConfigurationError: Error, Sendable, Equatable, CustomStringConvertible {
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        private enum Base: String { case invalidValue, unsupported, contradiction, unreadable }
        private let base: Base
        private init(_ base: Base) { self.base = base }

        /// A value that does not parse or is out of range.
        public static let invalidValue = Code(.invalidValue)
        /// A value that RocketMQ knows and this broker does not offer, where going on without it would be unsafe.
        public static let unsupported = Code(.unsupported)
        /// Values that do not go together, or one that is missing.
        public static let contradiction = Code(.contradiction)
        /// The file cannot be read.
        public static let unreadable = Code(.unreadable)

        public var description: String { base.rawValue }
    }

    public var code: Code
    public var message: String

    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    public var description: String { message }
}
