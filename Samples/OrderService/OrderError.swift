/// Why an order service refuses a call. Nothing was written or published.
public struct OrderError: Error, CustomStringConvertible {
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        private enum Base: String { case unknownOrder, notReservedYet, paymentTaken, invalidOrder }
        private let base: Base

        private init(_ base: Base) {
            self.base = base
        }

        /// There is no order of that id.
        public static let unknownOrder = Code(.unknownOrder)
        /// It is not known yet whether there is stock for the order; pay again a moment later.
        public static let notReservedYet = Code(.notReservedYet)
        /// The payment was for another order.
        static let paymentTaken = Code(.paymentTaken)
        /// An order has an id of 1 to 200 bytes without control characters, and lines with positive quantities.
        public static let invalidOrder = Code(.invalidOrder)

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
