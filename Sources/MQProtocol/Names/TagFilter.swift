/// Which messages of a topic a consumer wants, by their tags.
///
/// The broker compares hashes only; consumers compare the texts once more.
package struct TagFilter: Hashable, Sendable {
    /// Nil: everything. Sorted, no duplicates; a handful as a rule, so that looking through them beats a hash table.
    private var sortedCodes: [Int32]?

    /// Every message, also those without a tag.
    package static let all = TagFilter(sortedCodes: nil)

    private init(sortedCodes: [Int32]?) {
        self.sortedCodes = sortedCodes
    }

    /// Messages whose tag has one of these hashes.
    package init(codes: some Sequence<Int32>) {
        sortedCodes = Set(codes).sorted()
    }

    /// Reads `*` (or nothing) as everything, else tags between `||`.
    package init(expression: String) {
        let tags = Self.tags(in: expression)
        self = tags.isEmpty && Self.isAll(expression) ? .all : TagFilter(codes: tags.map { javaHash($0) })
    }

    package var isAll: Bool { sortedCodes == nil }

    /// The hashes, ascending; empty when the filter wants everything.
    package var codes: [Int32] { sortedCodes ?? [] }

    /// - Parameter tagsCode: of a consume-queue entry; its low 32 bits are the hash. An address instead of a hash
    ///   (``isExtensionAddress(_:)``) matches: the consumer compares the texts.
    package func matches(tagsCode: Int64) -> Bool {
        guard let sortedCodes, !Self.isExtensionAddress(tagsCode) else { return true }
        let code = Int32(truncatingIfNeeded: tagsCode)
        if sortedCodes.count <= 16 { return sortedCodes.contains(code) }
        var low = 0
        var high = sortedCodes.count
        while low < high {
            let middle = (low + high) / 2
            if sortedCodes[middle] < code { low = middle + 1 } else { high = middle }
        }
        return low < sortedCodes.count && sortedCodes[low] == code
    }

    /// Whether an entry was written by a stock broker with `enableConsumeQueueExt`: the code of its tag, or the time at
    /// which it is due, is in another file, at this address.
    package static func isExtensionAddress(_ tagsCode: Int64) -> Bool { tagsCode < Int64(Int32.min) }

    /// The tags named by an expression, in its order, each once; none for `*`.
    package static func tags(in expression: String) -> [String] {
        guard !isAll(expression) else { return [] }
        var tags: [String] = []
        var known: Set<String> = []
        for piece in pieces(expression) where !piece.isEmpty && known.insert(piece).inserted { tags.append(piece) }
        return tags
    }

    private static func isAll(_ expression: String) -> Bool {
        expression.isEmpty || expression == "*"
    }

    private static func pieces(_ expression: String) -> [String] {
        let bytes = Array(expression.utf8)
        var pieces: [String] = []
        var start = 0
        var position = 0
        while position < bytes.count {
            guard bytes[position] == UInt8(ascii: "|"), position + 1 < bytes.count,
                bytes[position + 1] == UInt8(ascii: "|")
            else {
                position += 1
                continue
            }
            pieces.append(trimmed(bytes[start..<position]))
            position += 2
            start = position
        }
        pieces.append(trimmed(bytes[start...]))
        return pieces
    }

    /// Without what Java's `trim` takes away: everything up to the space.
    private static func trimmed(_ bytes: ArraySlice<UInt8>) -> String {
        let front = bytes.drop { $0 <= 0x20 }
        let end = front.lastIndex { $0 > 0x20 }.map { $0 + 1 } ?? front.startIndex
        return String(decoding: front[..<end], as: UTF8.self)
    }
}
