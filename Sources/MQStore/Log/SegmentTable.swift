import MQProtocol
import Synchronization

/// The segments in order, contiguous, oldest first; the last one may be prepared and empty.
final class SegmentTable: Sendable {
    private let list: Mutex<[LogSegment]>

    init(_ segments: [LogSegment]) { list = Mutex(segments) }

    var all: [LogSegment] { list.withLock { $0 } }

    /// The segment that holds the byte at `offset`.
    func segment(at offset: LogOffset) -> LogSegment? {
        list.withLock { list in
            guard let first = list.first, offset >= first.offset else { return nil }
            let index = Int(offset - first.offset) / first.length
            return index < list.count ? list[index] : nil
        }
    }

    /// The segments that hold bytes of the range.
    func segments(in range: Range<LogOffset>) -> [LogSegment] {
        list.withLock { list in
            list.filter { $0.offset < range.upperBound && $0.end > range.lowerBound }
        }
    }

    func append(_ segment: LogSegment) {
        list.withLock { list in
            precondition(list.last.map { $0.end == segment.offset } ?? true, "segments are contiguous")
            list.append(segment)
        }
    }

    func removeLast() { list.withLock { _ = $0.popLast() } }

    /// Removes segments that end at or below `offset`, oldest first, at most `count`, never the last.
    func removeFirst(below offset: LogOffset, count: Int) -> [LogSegment] {
        list.withLock { list in
            let removable = list.dropLast().prefix { $0.end <= offset }.prefix(count)
            let removed = Array(removable)
            list.removeFirst(removed.count)
            return removed
        }
    }

    var firstOffset: LogOffset? { list.withLock { $0.first?.offset } }
}
