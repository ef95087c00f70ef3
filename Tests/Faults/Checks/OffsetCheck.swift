/// Compares how far a consumer is, as its broker says, with what it told the broker. Pure.
struct OffsetCheck {
    /// Milliseconds after which an offset that the broker took must outlive any crash: it writes them every 100 ms, and
    /// shares its processors with everything else.
    static let window: Int64 = 2000

    var history: History
    var contents: Contents

    /// - Parameter offsets: where the broker says that the consumer goes on.
    func violations(_ offsets: [QueueName: Int64]) -> [Violation] {
        history.consumed.sorted { $0.key < $1.key }.compactMap { queue, consumed in
            violation(of: queue, offsets[queue] ?? 0, consumed)
        }
    }

    private func violation(of queue: QueueName, _ offset: Int64, _ consumed: Int64) -> Violation? {
        if offset > consumed { return Violation(.consumerOffset, "\(queue): \(offset), consumed up to \(consumed)") }
        guard let end = contents[queue]?.maximum else { return nil }
        if offset > end { return Violation(.consumerOffset, "\(queue): \(offset), the queue ends at \(end)") }
        // What lies behind the queue's end is taken back at a start.
        let floor = min(history.oldConfirmation(of: queue, window: Self.window), end)
        guard offset < floor else { return nil }
        return Violation(.consumerOffset, "\(queue): \(offset), the broker had taken \(floor) long before")
    }
}
