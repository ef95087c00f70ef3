/// What was measured in one go.
struct Measured: Sendable {
    var perSecond: Double
    /// Of single pieces of work.
    var milliseconds: [Double] = []

    var p50: Double? { percentile(0.5) }
    var p99: Double? { percentile(0.99) }

    private func percentile(_ share: Double) -> Double? {
        guard !milliseconds.isEmpty else { return nil }
        let sorted = milliseconds.sorted()
        return sorted[min(sorted.count - 1, Int(Double(sorted.count) * share))]
    }
}

/// One line of the table: the same work on a broker that flushes asynchronously and on one that flushes synchronously.
struct Figure: Sendable {
    var name: String
    var asynchronous: Measured?
    var synchronous: Measured?
    /// The line of the same work done by hand.
    var byHand: String?
}
