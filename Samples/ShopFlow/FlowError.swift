/// Why a run did not begin, or could not be ended.
public struct FlowError: Error, CustomStringConvertible {
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        private enum Base: String {
            case unusableFile, unusableStore, storeMismatch, storeLocked, storeFull, storeFailed
            case brokerUnreachable, topicsMissing
        }
        private let base: Base

        private init(_ base: Base) {
            self.base = base
        }

        /// The file is not there, or no CSV of orders. Nothing was stored.
        public static let unusableFile = Code(.unusableFile)
        /// The directory of the store is none, or cannot be made.
        public static let unusableStore = Code(.unusableStore)
        /// The store holds another run than the one asked for, or no run at all.
        public static let storeMismatch = Code(.storeMismatch)
        /// Another process runs on the store.
        public static let storeLocked = Code(.storeLocked)
        /// The disk of the store is full.
        public static let storeFull = Code(.storeFull)
        /// A file of the store cannot be read or written, or is gone.
        public static let storeFailed = Code(.storeFailed)
        /// No name server or broker answers.
        public static let brokerUnreachable = Code(.brokerUnreachable)
        /// The brokers create no topics, and those of the store are not there.
        public static let topicsMissing = Code(.topicsMissing)

        public var description: String { base.rawValue }
    }

    public var code: Code
    public var message: String

    init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    public var description: String { message }
}
