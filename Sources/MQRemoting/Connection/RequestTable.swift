import NIOCore

/// The requests sent on one connection that wait for a response, by opaque.
///
/// Pure: time comes as an argument, waiters are handed back to the caller, who resumes them.
struct RequestTable<Waiter> {
    private struct Entry {
        var deadline: NIODeadline
        var waiter: Waiter
    }

    private var entries: [Int32: Entry] = [:]
    /// No entry's deadline is earlier. It may lag behind: entries that were answered do not move it.
    private(set) var nextDeadline: NIODeadline?

    var count: Int { entries.count }
    var isEmpty: Bool { entries.isEmpty }

    /// - Returns: the waiter that was registered under the same opaque, which will never be answered now. Only a
    ///   counter that went all the way round produces one.
    mutating func insert(_ waiter: Waiter, opaque: Int32, deadline: NIODeadline) -> Waiter? {
        let displaced = entries.updateValue(Entry(deadline: deadline, waiter: waiter), forKey: opaque)
        nextDeadline = min(nextDeadline ?? deadline, deadline)
        return displaced?.waiter
    }

    /// - Returns: who waits for this response; `nil` when nobody does any more.
    mutating func remove(opaque: Int32) -> Waiter? {
        entries.removeValue(forKey: opaque)?.waiter
    }

    /// Takes out everyone whose deadline has come, in order of their deadlines.
    mutating func expire(now: NIODeadline) -> [Waiter] {
        guard let nextDeadline, nextDeadline <= now else { return [] }
        let due = entries.filter { $0.value.deadline <= now }
        for opaque in due.keys {
            entries[opaque] = nil
        }
        self.nextDeadline = entries.values.lazy.map(\.deadline).min()
        return due.sorted { ($0.value.deadline, $0.key) < ($1.value.deadline, $1.key) }.map(\.value.waiter)
    }

    /// Takes out everyone, in order of their opaques.
    mutating func removeAll() -> [Waiter] {
        nextDeadline = nil
        let all = entries.sorted { $0.key < $1.key }.map(\.value.waiter)
        entries.removeAll()
        return all
    }
}
