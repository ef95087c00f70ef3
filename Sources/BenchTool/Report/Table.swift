/// Renders figures for people: one line each, columns aligned.
enum Table {
    private static let headings = [
        "measurement", "messages/s", "of limit", "p50 us", "p99 us", "p99.9 us", "CPU s/M", "anon MiB", "mapped MiB",
        "disk B/msg",
    ]

    static func render(_ figures: [Figure]) -> String {
        let rows = [headings] + figures.map(row)
        let complete = rows.filter { $0.count == headings.count }
        let widths = headings.indices.map { column in complete.map { $0[column].count }.max() ?? 0 }
        return rows.map { row in
            row.enumerated().map { column, text in
                let padding = String(repeating: " ", count: widths[column] - text.count)
                return column == 0 ? text + padding : padding + text
            }
            .joined(separator: "  ")
        }
        .joined(separator: "\n")
    }

    private static func row(_ figure: Figure) -> [String] {
        let measurement = figure.measurement
        if let failure = figure.failure { return [figure.name, "failed: \(failure)"] }
        let rate = figure.seconds.map { "\(decimal($0, 3)) s" } ?? measurement.map { grouped($0.perSecond) } ?? ""
        return [
            figure.name,
            rate,
            limits(figure),
            measurement.map { microseconds($0.p50) } ?? "",
            measurement.map { microseconds($0.p99) } ?? "",
            measurement.map { microseconds($0.p999) } ?? "",
            figure.cpuSecondsPerMillion.map { decimal($0, 2) } ?? "",
            figure.anonymousBytes.map { mebibytes($0) } ?? "",
            figure.mappedBytes.map { mebibytes($0) } ?? "",
            figure.diskBytesPerMessage.map { grouped($0) } ?? "",
        ]
    }

    private static func limits(_ figure: Figure) -> String {
        guard let measurement = figure.measurement else { return "" }
        return figure.limits.map { limit in
            let share = limit.perSecond > 0 ? measurement.perSecond / limit.perSecond * 100 : 0
            return "\(grouped(share))% \(limit.name)"
        }
        .joined(separator: ", ")
    }

    private static func microseconds(_ nanoseconds: UInt64) -> String {
        grouped(Double(nanoseconds) / 1000)
    }

    private static func mebibytes(_ bytes: Int) -> String {
        decimal(Double(bytes) / 1_048_576, 1)
    }

    /// A whole number with a comma between groups of three digits.
    static func grouped(_ value: Double) -> String {
        let digits = String(Int(value.rounded()))
        var text = ""
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.count - index) % 3 == 0, digits.prefix(index) != "-" { text.append(",") }
            text.append(digit)
        }
        return text
    }

    static func decimal(_ value: Double, _ places: Int) -> String {
        var scale = 1.0
        for _ in 0..<places { scale *= 10 }
        let whole = Int((value * scale).rounded())
        let magnitude = String(abs(whole))
        let padded = String(repeating: "0", count: max(0, places + 1 - magnitude.count)) + magnitude
        if places == 0 { return String(whole) }
        return (whole < 0 ? "-" : "") + padded.dropLast(places) + "." + padded.suffix(places)
    }
}
