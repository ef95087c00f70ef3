/// An error of the message store.
///
/// Compare ``code``; ``message`` is for people: it names the path or key, the cause, and what to do about it.
public struct StoreError: Error, Sendable, CustomStringConvertible {
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        private enum Base: String {
            case locked, corrupt, diskFull, inputOutput, notFound, permission, system
            case closed, notWritable, recordTooLarge, propertiesTooLarge, illegalRecord, configuration
        }

        private let base: Base
        private init(_ base: Base) { self.base = base }

        /// Another broker holds the store's `lock` file.
        public static let locked = Code(.locked)
        /// The files contradict each other or their format; the message names file, position and remedy.
        public static let corrupt = Code(.corrupt)
        /// No space left on the device, or the quota is used up.
        public static let diskFull = Code(.diskFull)
        /// The device reported a read, write or flush error.
        public static let inputOutput = Code(.inputOutput)
        /// A file or directory that should exist does not.
        public static let notFound = Code(.notFound)
        /// The process may not read or write a path, or its file system is read-only.
        public static let permission = Code(.permission)
        /// Any other failed system call, for example too many open files.
        public static let system = Code(.system)
        /// The store was closed.
        public static let closed = Code(.closed)
        /// The store refuses writes until an earlier failure is repaired.
        public static let notWritable = Code(.notWritable)
        /// A body, a record or a group of records is longer than the configured limit.
        public static let recordTooLarge = Code(.recordTooLarge)
        /// The encoded properties are longer than 32,767 bytes.
        public static let propertiesTooLarge = Code(.propertiesTooLarge)
        /// A draft that cannot be stored for another reason, for example a topic longer than 127 bytes.
        public static let illegalRecord = Code(.illegalRecord)
        /// A configuration key has an impossible value.
        public static let configuration = Code(.configuration)

        public var description: String { base.rawValue }
    }

    /// Where in the source an error was made.
    public struct SourceLocation: Hashable, Sendable, CustomStringConvertible {
        public var fileID: String
        public var line: Int
        public var description: String { "\(fileID):\(line)" }
    }

    public var code: Code
    public var message: String
    /// The `errno` value of the failed system call, if one failed.
    public var errorNumber: Int32?
    public var location: SourceLocation

    package init(
        _ code: Code,
        _ message: String,
        errorNumber: Int32? = nil,
        fileID: String = #fileID,
        line: Int = #line
    ) {
        self.code = code
        self.message = message
        self.errorNumber = errorNumber
        self.location = SourceLocation(fileID: fileID, line: line)
    }

    public var description: String { "\(code): \(message)" }
}
