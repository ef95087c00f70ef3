import NIOCore

/// Reads a file ahead of who looks at its map: an unreadable block is an error here, under a map it ends the process.
struct SegmentProbe {
    private static let step = 1 << 20
    private static let block = 4096
    /// How far beyond a position bytes are read: longer than any record with the usual limits.
    private static let ahead = 8 << 20

    private let file: any StorageFile
    private let length: Int
    private var reached = 0
    private var scratch = ByteBuffer()
    /// What the device did not return, in order.
    private(set) var bad: [Range<Int>] = []

    init(_ file: any StorageFile, length: Int) {
        self.file = file
        self.length = length
    }

    /// - Returns: the bytes that were read by this call.
    mutating func reach(_ position: Int) -> Int {
        // Holes are stepped over: nobody looks at them.
        if position > reached + Self.ahead { reached = position / Self.block * Self.block }
        guard reached < length, reached < position + Self.ahead / 2 else { return 0 }
        let start = reached
        let target = min(length, position + Self.ahead)
        while reached < target {
            let count = min(Self.step, length - reached)
            if !read(reached, count) { findBad(reached..<reached + count) }
            reached += count
        }
        return reached - start
    }

    /// The first unreadable range that overlaps.
    func firstBad(in range: Range<Int>) -> Range<Int>? { bad.first { $0.overlaps(range) } }

    private mutating func read(_ position: Int, _ count: Int) -> Bool {
        scratch.clear()
        return (try? file.read(at: position, count: count, into: &scratch)) == count
    }

    private mutating func findBad(_ range: Range<Int>) {
        var position = range.lowerBound
        while position < range.upperBound {
            let end = min(position + Self.block, range.upperBound)
            if !read(position, end - position) {
                if let last = bad.last, last.upperBound == position {
                    bad[bad.count - 1] = last.lowerBound..<end
                } else {
                    bad.append(position..<end)
                }
            }
            position = end
        }
    }
}
