import Synchronization

/// Numbers requests; shared by all connections of a client or server, from any thread. Wraps round after 2^32.
final class OpaqueSource: Sendable {
    private let last = Atomic<Int32>(-1)

    func next() -> Int32 {
        last.wrappingAdd(1, ordering: .relaxed).newValue
    }
}
