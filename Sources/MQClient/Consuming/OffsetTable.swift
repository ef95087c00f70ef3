/// Which offsets are stored outside, so that only what has changed is stored again.
struct OffsetTable {
    private var stored: [MessageQueue: Int64] = [:]

    func isStored(_ offset: Int64, of queue: MessageQueue) -> Bool {
        stored[queue] == offset
    }

    mutating func confirm(_ offset: Int64, of queue: MessageQueue) {
        stored[queue] = offset
    }

    /// The queue belongs to somebody else now, who may store another offset.
    mutating func forget(_ queue: MessageQueue) {
        stored[queue] = nil
    }
}
