/// Why nobody was registered. Nothing was written or published.
public struct RegistrationError: Error, CustomStringConvertible {
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        private enum Base: String { case invalidAddress, invalidName }
        private let base: Base

        private init(_ base: Base) {
            self.base = base
        }

        /// Nobody can be written to at that address.
        public static let invalidAddress = Code(.invalidAddress)
        /// A name has 1 to 200 bytes.
        public static let invalidName = Code(.invalidName)

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
