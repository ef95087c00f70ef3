/// A text that is not JSON, not even in fastjson's dialect.
package struct JSONError: Error, Hashable, Sendable, CustomStringConvertible {
    package struct Code: Hashable, Sendable, CustomStringConvertible {
        private enum Base: String {
            case unexpectedEnd, unexpectedByte, tooDeep, trailingBytes
        }

        private let base: Base
        private init(_ base: Base) { self.base = base }

        package static let unexpectedEnd = Code(.unexpectedEnd)
        package static let unexpectedByte = Code(.unexpectedByte)
        /// Nested deeper than ``JSONReader/maximumDepth``.
        package static let tooDeep = Code(.tooDeep)
        /// More than white space follows the value.
        package static let trailingBytes = Code(.trailingBytes)

        package var description: String { base.rawValue }
    }

    package var code: Code
    /// The byte at which the text went wrong.
    package var position: Int

    package init(_ code: Code, at position: Int) {
        self.code = code
        self.position = position
    }

    package var description: String { "\(code) at byte \(position)" }
}
