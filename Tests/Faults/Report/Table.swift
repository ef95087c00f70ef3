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
                tallies[Row(kind: kind, hasRecordChecksum: hasRecordChecksum)].map {
                    row(kind.rawValue + (hasRecordChecksum ? ", with record CRC" : ", without"), $0)
                }
            }
        }
        let sums = [("all of a broker's life", false), ("all of files", true)].map { name, isOfFiles in
            row(name, tallies.reduce(into: Tally()) { if $1.key.kind.isOfFiles == isOfFiles { $0.merge($1.value) } })
        }
        let lines = [Self.columns, Self.columns.map { _ in "---" }] + rows + sums
        return lines.map { "| " + $0.joined(separator: " | ") + " |" }.joined(separator: "\n")
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
