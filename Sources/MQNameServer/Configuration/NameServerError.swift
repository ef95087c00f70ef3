/// An error of the name server itself; what the network reports is a `RemotingError`.
///
/// Compare ``code``; `message` and `cause` are for people and may change.
public struct NameServerError: Error, CustomStringConvertible {
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        private enum Base: String {
            case configuration, inputOutput, corrupt
        }

        private let base: Base

        private init(_ base: Base) {
            self.base = base
        }

        /// A configured value cannot be used.
        public static let configuration = Code(.configuration)
        /// A file cannot be read or written.
        public static let inputOutput = Code(.inputOutput)
        /// A file was read but makes no sense, and neither does the version before it.
        public static let corrupt = Code(.corrupt)

        public var description: String { base.rawValue }
    }

    public var code: Code
    public var message: String
    public var cause: (any Error)?
    public var fileID: String
    public var line: Int

    public init(
        _ code: Code,
        _ message: String,
        cause: (any Error)? = nil,
        fileID: String = #fileID,
        line: Int = #line
    ) {
        self.code = code
        self.message = message
        self.cause = cause
        self.fileID = fileID
        self.line = line
    }

    public var description: String { message }
}
