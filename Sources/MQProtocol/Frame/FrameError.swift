/// The bytes of a connection are not a frame. Nothing after them can be trusted: close the connection, answer nothing.
package struct FrameError: Error, Hashable, CustomStringConvertible {
    package struct Code: Hashable, Sendable, CustomStringConvertible {
        private enum Base: String {
            case invalidLength, frameTooLarge, unknownEncoding, headerTooLong, malformedHeader
        }
        private let base: Base

        private init(_ base: Base) {
            self.base = base
        }

        /// The length word is negative or too small for a header word.
        package static let invalidLength = Code(.invalidLength)
        /// The frame would exceed the decoder's limit.
        package static let frameTooLarge = Code(.frameTooLarge)
        /// The top byte of the header word names no header encoding.
        package static let unknownEncoding = Code(.unknownEncoding)
        /// The header is said to be longer than its frame.
        package static let headerTooLong = Code(.headerTooLong)
        /// The header bytes do not follow their encoding.
        package static let malformedHeader = Code(.malformedHeader)

        package var description: String {
            base.rawValue
        }
    }

    package var code: Code
    package var message: String

    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    package var description: String {
        "\(code): \(message)"
    }
}
