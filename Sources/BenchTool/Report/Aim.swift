/// Something that a run is meant to reach.
struct Aim {
    var text: String
    var measured: Double?
    var limit: Double
    var isUpperLimit: Bool
    var places = 2

    /// Nil when nothing was measured for it.
    var line: String? {
        guard let measured else { return nil }
        let isMet = isUpperLimit ? measured <= limit : measured >= limit
        let relation = isUpperLimit ? "at most" : "at least"
        let figures = "\(Table.decimal(measured, places)), \(relation) \(Table.decimal(limit, places))"
        return "\(isMet ? "met   " : "missed")  \(text): \(figures)"
    }
}
