/// A request's fields are not what its code demands. Answered with code 1; the connection lives on.
package struct HeaderError: Error, Hashable, CustomStringConvertible {
    package struct Code: Hashable, Sendable, CustomStringConvertible {
        private enum Base: String {
            case missingField, invalidNumber, invalidValue
        }
        private let base: Base

        private init(_ base: Base) {
            self.base = base
        }

        /// A mandatory field is absent, null or (binary encoding) empty.
        package static let missingField = Code(.missingField)
        /// Not a decimal number, or outside the field's type.
        package static let invalidNumber = Code(.invalidNumber)
        /// None of the texts the field may have.
        package static let invalidValue = Code(.invalidValue)

        package var description: String {
            base.rawValue
        }
    }

    package var code: Code
    /// The field's name on the wire.
    package var field: String

    package init(_ code: Code, _ field: String) {
        self.code = code
        self.field = field
    }

    package var description: String {
        "\(code): \(field)"
    }
}
