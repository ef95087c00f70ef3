/// A message record, a batch, an id or a compressed body that cannot be read, or a message that cannot be written.
///
/// Compare ``code``; the message is for people and may change.
package struct RecordError: Error, CustomStringConvertible {
    package struct Code: Hashable, Sendable, CustomStringConvertible {
        private enum Base: String {
            case truncated, badMagic, malformed, checksumMismatch
            case emptyTopic, topicTooLong, propertiesTooLong, bodyTooLong, recordTooLong, unrepresentableProperty
            case unsupportedCompression, corruptCompression, inflatesBeyondLimit
        }

        private let base: Base

        private init(_ base: Base) {
            self.base = base
        }

        /// Fewer bytes than the record says it has; the rest may follow.
        package static let truncated = Code(.truncated)
        /// Neither of the two magic codes of a message.
        package static let badMagic = Code(.badMagic)
        /// Lengths inside do not add up; more bytes will not help.
        package static let malformed = Code(.malformed)
        /// The body's CRC is not the one written.
        package static let checksumMismatch = Code(.checksumMismatch)
        /// A topic of no bytes.
        package static let emptyTopic = Code(.emptyTopic)
        /// A topic of more than 127 bytes.
        package static let topicTooLong = Code(.topicTooLong)
        /// Properties of more than 32767 bytes.
        package static let propertiesTooLong = Code(.propertiesTooLong)
        /// A body longer than ``RecordLimits/maximumBodyBytes``.
        package static let bodyTooLong = Code(.bodyTooLong)
        /// A record longer than ``RecordLimits/maximumRecordBytes``.
        package static let recordTooLong = Code(.recordTooLong)
        /// A property that is empty or contains a separator.
        package static let unrepresentableProperty = Code(.unrepresentableProperty)
        /// The body is compressed by an algorithm that is not built in.
        package static let unsupportedCompression = Code(.unsupportedCompression)
        /// The compressed body ends early or is not what its type says.
        package static let corruptCompression = Code(.corruptCompression)
        /// The body would inflate to more than the limit.
        package static let inflatesBeyondLimit = Code(.inflatesBeyondLimit)

        package var description: String { base.rawValue }
    }

    package var code: Code
    package var message: String

    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    package var description: String { "\(code): \(message)" }
}
