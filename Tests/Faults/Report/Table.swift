import Foundation

extension Report {
    private static let columns = [
        "fault", "injected", "missed", "acknowledged", "compared", "lost", "altered", "order", "other",
        "twice (window)", "lost (async window)", "recovery p50", "p99 ms",
    ]

    /// Those of brokers, and none: of copies of files.
    private static let flushes: [Setup.Flush?] = Setup.Flush.allCases.map(Optional.some) + [nil]

    /// The table of the README, in Markdown.
    package var table: String {
        let kinds = FaultKind.allCases.flatMap { rows(of: $0) }
        let sums =
            Setup.Flush.allCases.compactMap { flush in sum("all on brokers, \(flush.rawValue)") { $0.flush == flush } }
            + [sum("all on copies of files") { $0.flush == nil }].compactMap(\.self)
        let lines = [Self.columns, Self.columns.map { _ in "---" }] + kinds + sums
        return lines.map { "| " + $0.joined(separator: " | ") + " |" }.joined(separator: "\n")
    }

    private func rows(of kind: FaultKind) -> [[String]] {
        Self.flushes.flatMap { flush in
            [true, false].compactMap { hasRecordChecksum -> [String]? in
                let key = Row(kind: kind, hasRecordChecksum: hasRecordChecksum, flush: flush)
                return tallies[key].map { row(key.description, $0) }
            }
        }
    }

    /// Nil when nothing of that was done.
    private func sum(_ name: String, of isMeant: (Row) -> Bool) -> [String]? {
        let meant = tallies.filter { isMeant($0.key) }
        return meant.isEmpty ? nil : row(name, meant.values.reduce(into: Tally()) { $0.merge($1) })
    }

    private func row(_ name: String, _ tally: Tally) -> [String] {
        let numbers = [
            tally.injected, tally.missed, tally.acknowledged, tally.compared, tally.lost, tally.altered, tally.order,
            tally.other, tally.duplicated, tally.lostInWindow,
        ]
        return [name] + numbers.map(String.init)
            + [0.5, 0.99].map { share in
                tally.recovery(share).map { String(format: "%.0f", $0) } ?? ""
            }
    }
}
