import DequeModule
import MQProtocol

/// Rows that leave one after the other: those of one ordering key, or one row without a key.
struct RelayLane {
    enum Key: Hashable {
        case ordered(String)
        case single(Int64)

        init(_ row: OutboxRow) {
            self = row.event.orderingKey.map(Key.ordered) ?? .single(row.sequence)
        }
    }

    /// Leaves next, or is on its way; nil when everything in memory has left.
    private(set) var head: OutboxRow?
    private var rest: Deque<OutboxRow> = []
    /// The highest row that was ever here.
    private var highest: Int64 = 0
    private(set) var isBusy = false
    /// Of the head, in a row.
    private(set) var failures = 0
    private(set) var notBefore: Timestamp?
    /// The head left together with others of whom it is doubtful that they arrive.
    private(set) var isDoubtful = false
    /// Rows from here on were read and not kept: they are to be read again.
    private(set) var skippedFrom: Int64?

    var isFailing: Bool { failures > 0 }
    /// Rows in memory.
    var count: Int { (head == nil ? 0 : 1) + rest.count }
    var isEmpty: Bool { head == nil && skippedFrom == nil }

    /// - Returns: whether the row is kept; not while the lane fails, nor behind rows that were not kept.
    mutating func add(_ row: OutboxRow) -> Bool {
        if isFailing || skippedFrom != nil {
            skip(row.sequence)
            return false
        }
        highest = max(highest, row.sequence)
        if head == nil { head = row } else { rest.append(row) }
        return true
    }

    func holds(_ sequence: Int64) -> Bool {
        guard sequence <= highest else { return false }
        return head?.sequence == sequence || rest.contains { $0.sequence == sequence }
    }

    /// - Returns: the row that leaves.
    mutating func leave(isDoubtful: Bool) -> OutboxRow? {
        guard !isBusy, let head else { return nil }
        isBusy = true
        self.isDoubtful = isDoubtful
        return head
    }

    mutating func arrived() {
        isBusy = false
        failures = 0
        head = rest.popFirst()
    }

    /// The head stays first and leaves again later; what stands behind it is read again when it has left.
    ///
    /// - Returns: how many rows were let go.
    mutating func failed(_ row: OutboxRow, now: Timestamp) -> Int {
        isBusy = false
        failures += 1
        head = row
        head?.isRepeated = true
        let pause = Duration.milliseconds(100 << min(failures - 1, 6))
        let time = now.advanced(by: min(pause, .seconds(5))).milliseconds
        notBefore = Timestamp(milliseconds: (time + Self.beat - 1) / Self.beat * Self.beat)
        defer { rest.removeAll() }
        if let first = rest.first { skip(first.sequence) }
        return rest.count
    }

    mutating func replaced(by row: OutboxRow) {
        isBusy = false
        head = row
    }

    mutating func waited() {
        notBefore = nil
    }

    /// The reader goes back to the rows that were not kept.
    mutating func readAgain() {
        skippedFrom = nil
    }

    /// Milliseconds to whose multiples pauses extend, so that many lanes come back together.
    private static let beat: Int64 = 20

    private mutating func skip(_ sequence: Int64) {
        skippedFrom = min(skippedFrom ?? sequence, sequence)
    }
}
