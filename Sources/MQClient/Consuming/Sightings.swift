import MQProtocol

/// Which messages were where in a queue, as a consumer saw it: the last one, and ever fewer of those before. Pure.
///
/// A broker that has lost the end of a queue gives the places to other messages. What of this is still true tells where
/// the end was lost.
struct Sightings: Sendable, Hashable {
    /// A message and its place.
    struct Sighting: Sendable, Hashable {
        var offset: Int64
        var logOffset: Int64
        var stored: Timestamp

        init(_ message: ReceivedMessage) {
            offset = message.queueOffset
            logOffset = message.logOffset
            stored = message.storeTimestamp
        }
    }

    /// The most that are kept: half of them for the last pulls, the others ever wider apart.
    static let capacity = 24

    /// In order of offset.
    private(set) var all: [Sighting] = []

    var last: Sighting? { all.last }

    /// - Parameter message: behind all that were noted before.
    mutating func note(_ message: ReceivedMessage) {
        all.append(Sighting(message))
        guard all.count > Self.capacity, let newest = all.last?.offset else { return }
        // Of the older ones the one goes whose neighbours are closest together for how far back they are.
        let spread = (1..<all.count - Self.capacity / 2).map { index in
            let before = all[index - 1].offset
            return (index, Double(all[index + 1].offset - before) / Double(newest - before))
        }
        if let closest = spread.min(by: { $0.1 < $1.1 }) { all.remove(at: closest.0) }
    }

    /// What was at this offset and behind it is not there any more.
    mutating func forget(from offset: Int64) { all.removeAll { $0.offset >= offset } }

    /// The last one that is still true, found with few looks: what is behind the lost end is not, what is before it is.
    ///
    /// - Parameter isTrue: looks at the broker.
    func lastTrue<Failure: Error>(
        _ isTrue: (Sighting) async throws(Failure) -> Bool
    ) async throws(Failure) -> Sighting? {
        guard let last else { return nil }
        // As a rule nothing is lost.
        if try await isTrue(last) { return last }
        var (low, high) = (0, all.count - 1)
        while low < high {
            let middle = (low + high) / 2
            if try await isTrue(all[middle]) { low = middle + 1 } else { high = middle }
        }
        return low > 0 ? all[low - 1] : nil
    }
}
