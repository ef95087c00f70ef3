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

    /// The most that are kept. With twice as many pulls each time before one is dropped, that reaches back far enough.
    static let capacity = 24

    /// In order of offset.
    private(set) var all: [Sighting] = []

    var last: Sighting? { all.last }

    /// - Parameter message: behind all that were noted before.
    mutating func note(_ message: ReceivedMessage) {
        all.append(Sighting(message))
        guard all.count > Self.capacity else { return }
        // Of the older half every second one goes: the further back, the wider apart.
        let half = Self.capacity / 2
        let older = all.prefix(half).enumerated().filter { index, _ in index.isMultiple(of: 2) }
        all = older.map(\.element) + all.dropFirst(half)
    }

    /// What was at this offset and behind it is not there any more.
    mutating func forget(from offset: Int64) { all.removeAll { $0.offset >= offset } }

    /// The last one that is still true, found with few looks: what is behind the lost end is not, what is before it is.
    ///
    /// - Parameter isTrue: looks at the broker.
    func lastTrue<Failure: Error>(
        _ isTrue: (Sighting) async throws(Failure) -> Bool
    ) async throws(Failure) -> Sighting? {
        var (low, high) = (0, all.count)
        while low < high {
            let middle = (low + high) / 2
            if try await isTrue(all[middle]) { low = middle + 1 } else { high = middle }
        }
        return low > 0 ? all[low - 1] : nil
    }
}
