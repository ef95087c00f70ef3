/// What makes a workload what it is. A store remembers them: a run that goes on there uses the same.
public struct WorkloadSettings: Sendable, Equatable {
    /// Where orders come from.
    public enum Source: Sendable, Equatable {
        /// So many made-up orders.
        case demo(orders: Int)
        /// The path of a CSV file.
        case file(String)
    }

    public var source: Source
    /// Percent of orders that are not paid in time. Default: 10.
    public var unpaid = 10
    /// Units of each stock code at the beginning. Default: 100,000.
    public var openingStock: Int64 = 100_000
    /// Default: 1.
    public var seed: UInt64 = 1

    public static let defaultOrders = 2000

    public init(_ source: Source) {
        self.source = source
    }
}
