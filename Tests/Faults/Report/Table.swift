import Foundation

extension Report {
    private static let columns = [
        "fault", "injected", "missed", "acknowledged", "compared", "lost", "altered", "order", "other",
        "twice (window)", "lost (async window)", "recovery p50", "p99 ms",
    ]

    /// The table of the README, in Markdown.
    package var table: String {
        let rows = FaultKind.allCases.flatMap { kind in
            [true, false].compactMap { hasRecordChecksum in
                sum("\(kind.rawValue), \(hasRecordChecksum ? "with record CRC" : "without")") {
                    $0.kind == kind && $0.hasRecordChecksum == hasRecordChecksum
                }
            }
        }
        let sums =
            Setup.Flush.allCases.compactMap { flush in sum("all on brokers, \(flush.rawValue)") { $0.flush == flush } }
            + [sum("all on copies of files") { $0.flush == nil }].compactMap(\.self)
        let lines = [Self.columns, Self.columns.map { _ in "---" }] + rows + sums
        return lines.map { "| " + $0.joined(separator: " | ") + " |" }.joined(separator: "\n")
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
