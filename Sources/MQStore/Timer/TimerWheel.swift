import HeapModule
package import MQProtocol

/// Pending timed messages, by due time. Pure: the broker arms it from dispatched records and asks what is due.
///
/// Far timers lie unsorted in buckets of about 17 minutes (`bucketBits`), the bucket that time has reached is a heap:
/// arming is an array append, a million timers of many days cost 24 bytes each, and order is exact to the millisecond.
/// There is no cancel: whoever owns a timer ignores it when it rings.
package struct TimerWheel: Sendable {
    package struct Timer: Sendable, Hashable {
        /// Milliseconds since 1970.
        package var due: Int64
        package var logOffset: LogOffset
        /// Length of the record in bytes.
        package var size: Int32

        package init(due: Int64, logOffset: LogOffset, size: Int32) {
            self.due = due
            self.logOffset = logOffset
            self.size = size
        }
    }

    private struct Bucket {
        var timers: [Timer] = []
        var earliest = Int64.max
    }

    /// 2^20 ms is about 17.5 minutes: 40 days are 3,300 buckets.
    private static let bucketBits: Int64 = 20

    /// Timers of every bucket up to and including `reached`.
    private var near = Heap<Timer>()
    private var far: [Int64: Bucket] = [:]
    private var farNumbers = Heap<Int64>()
    private var reached = Int64.min
    package private(set) var count = 0

    package init() {}

    package var isEmpty: Bool { count == 0 }

    /// Also accepts what is overdue: it rings with the next `popDue`.
    package mutating func arm(_ timer: Timer) {
        count += 1
        let number = timer.due >> Self.bucketBits
        if number <= reached {
            near.insert(timer)
            return
        }
        if far[number] == nil { farNumbers.insert(number) }
        far[number, default: Bucket()].timers.append(timer)
        if timer.due < far[number, default: Bucket()].earliest { far[number]?.earliest = timer.due }
    }

    /// Removes at most `limit` timers with due <= now and appends them to `due`: by due time, those of one millisecond
    /// by log offset.
    package mutating func popDue(now: Timestamp, limit: Int, into due: inout [Timer]) {
        reach(now.milliseconds >> Self.bucketBits)
        var left = limit
        while left > 0, let first = near.min, first.due <= now.milliseconds {
            due.append(near.removeMin())
            left -= 1
            count -= 1
        }
    }

    /// Due time of the next timer; nil when none is pending.
    package func nextDue() -> Timestamp? {
        let ahead = farNumbers.min.flatMap { far[$0] }?.earliest
        guard let earliest = [near.min?.due, ahead].compactMap(\.self).min() else { return nil }
        return Timestamp(milliseconds: earliest)
    }

    /// Removes and returns, in log order, every timer whose record starts below the offset: they are about to be copied
    /// to the end of the log and armed again from there.
    package mutating func takeAll(below offset: LogOffset) -> [Timer] {
        var taken = near.unordered.filter { $0.logOffset < offset }
        if !taken.isEmpty { near = Heap(near.unordered.filter { $0.logOffset >= offset }) }
        for (number, bucket) in far where bucket.timers.contains(where: { $0.logOffset < offset }) {
            taken += bucket.timers.filter { $0.logOffset < offset }
            let kept = bucket.timers.filter { $0.logOffset >= offset }
            far[number] = Bucket(timers: kept, earliest: kept.map(\.due).min() ?? Int64.max)
        }
        farNumbers = Heap(far.filter { !$0.value.timers.isEmpty }.keys)
        far = far.filter { !$0.value.timers.isEmpty }
        count -= taken.count
        return taken.sorted { $0.logOffset < $1.logOffset }
    }

    private mutating func reach(_ number: Int64) {
        guard number > reached else { return }
        reached = number
        while let first = farNumbers.min, first <= number {
            farNumbers.removeMin()
            if let bucket = far.removeValue(forKey: first) { near.insert(contentsOf: bucket.timers) }
        }
    }
}

extension TimerWheel.Timer: Comparable {
    package static func < (left: Self, right: Self) -> Bool {
        left.due != right.due ? left.due < right.due : left.logOffset < right.logOffset
    }
}
