import MQProtocol
import Synchronization

extension ConsumeQueue {
    /// The first queue offset whose record is still in the log, and the end, taken together.
    ///
    /// The minimum is the end when every record is gone. A stock broker keeps an older value in that case, although
    /// nothing below the end can be read; this one does not. While entries cannot be read the minimum stays where it
    /// was: consumers that are told of a higher one go there and never come back.
    func bounds(logMinimum: LogOffset) -> (minimum: Int64, end: Int64) {
        state.withLock { state in
            if state.minimumFor != logMinimum {
                guard let first = firstEntry(atOrAbove: logMinimum, state) else {
                    return (min(max(state.minimum, firstNumber(state)), state.end), state.end)
                }
                state.minimum = first
                // With nothing readable yet, a later entry may become the minimum without the log moving.
                state.minimumFor = state.minimum < state.end ? logMinimum : nil
            }
            return (state.minimum, state.end)
        }
    }

    /// The same, for callers outside.
    func firstEntry(atOrAbove offset: LogOffset) -> Int64? {
        state.withLock { firstEntry(atOrAbove: offset, $0) }
    }

    /// The first entry that is not blank and whose record is at or above the offset; the end when there is none, nil
    /// when entries cannot be read.
    func firstEntry(atOrAbove offset: LogOffset, _ state: borrowing State) -> Int64? {
        var low = firstNumber(state)
        if let entry = entry(low, state), entry.hasPlace, entry.logOffset >= offset { return low }
        var high = state.end
        var best = state.end
        while low < high {
            let middle = low + (high - low) / 2
            // Blank entries have no place in the order of the log, nor have damaged ones: the next one that has a
            // record decides.
            var probe = middle
            var found = entry(probe, state)
            while let passed = found, !passed.hasPlace {
                if !passed.isWritten, state.isUncertain(probe) { return nil }
                guard probe + 1 < high else { break }
                probe += 1
                found = entry(probe, state)
            }
            guard let found else { return nil }
            if !found.hasPlace {
                high = middle
            } else if found.logOffset >= offset {
                best = probe
                high = middle
            } else {
                low = probe + 1
            }
        }
        return best
    }

    func firstNumber(_ state: borrowing State) -> Int64 { state.fileCount > 0 ? state.first : state.tailStart }

    /// The queue offset whose record was stored nearest to `time`: the very one, else the nearer neighbour, the older
    /// of two that are equally near. A time after everything gives the last existing offset, an empty queue 0.
    ///
    /// A stock broker first picks a file by its modification time and searches only that; here the whole queue is
    /// searched, which differs only where two files meet.
    ///
    /// - Parameter storeTime: of the record at a place in the log; nil when it cannot be read.
    func search(
        _ time: Timestamp,
        logMinimum: LogOffset,
        storeTime: (QueueEntry) -> Timestamp?
    ) -> Int64 {
        let (minimum, end) = bounds(logMinimum: logMinimum)
        var low = minimum
        var high = end - 1
        var older: (number: Int64, time: Timestamp)?
        var newer: (number: Int64, time: Timestamp)?
        while low <= high {
            let middle = low + (high - low) / 2
            let found = state.withLock { state in entry(middle, state) }
            guard let entry = found else { return 0 }
            if entry.isBlank || entry.logOffset < logMinimum {
                low = middle + 1
                continue
            }
            guard let stored = storeTime(entry) else { return 0 }
            if stored == time { return middle }
            if stored < time {
                older = (middle, stored)
                low = middle + 1
            } else {
                newer = (middle, stored)
                high = middle - 1
            }
        }
        guard let older else { return newer?.number ?? 0 }
        guard let newer else { return older.number }
        return older.time.duration(to: time) <= time.duration(to: newer.time) ? older.number : newer.number
    }
}
