/// Finds the names that somebody may have meant.
enum NameSuggestions {
    /// At most `limit` of `names`, the nearest first; none when nothing is near.
    static func nearest(to name: String, among names: [String], limit: Int = 3) -> [String] {
        let wanted = Array(name.lowercased().utf8)
        let reach = max(2, wanted.count / 3)
        let scored = names.compactMap { candidate -> (distance: Int, name: String)? in
            let other = Array(candidate.lowercased().utf8)
            guard abs(other.count - wanted.count) <= reach else { return nil }
            let distance = editDistance(wanted, other)
            return distance <= reach ? (distance, candidate) : nil
        }
        return scored.sorted { ($0.distance, $0.name) < ($1.distance, $1.name) }.prefix(limit).map(\.name)
    }

    /// How many bytes must be inserted, removed or replaced to turn one into the other.
    static func editDistance(_ from: [UInt8], _ to: [UInt8]) -> Int {
        var previous = Array(0...to.count)
        for (row, byte) in from.enumerated() {
            var current = [row + 1]
            current.reserveCapacity(to.count + 1)
            for (column, other) in to.enumerated() {
                let replaced = previous[column] + (byte == other ? 0 : 1)
                current.append(min(replaced, previous[column + 1] + 1, current[column] + 1))
            }
            previous = current
        }
        return previous[to.count]
    }
}
