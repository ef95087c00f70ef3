extension FlowReport {
    /// For people.
    ///
    /// - Parameter isColoured: marks checks with colours, as terminals show them.
    public func text(isColoured: Bool) -> String {
        ([title + (isResumed ? ", gone on with" : "")] + outcomes + messages + verdicts(isColoured)).joined(
            separator: "\n")
    }

    private var outcomes: [String] {
        [
            "",
            "Orders          \(count(totals.orders))",
            "  paid          \(count(totals.paid))  \(bar(totals.paid))  \(grouped(totals.unitsSold)) units",
            "  cancelled     \(count(totals.cancelled))  \(bar(totals.cancelled))  "
                + "\(grouped(totals.refunds)) paid too late and refunded",
            "  rejected      \(count(totals.rejected))  \(bar(totals.rejected))  out of stock",
            "Returns         \(count(totals.returns))  \(grouped(totals.unitsReturned)) units back in stock",
            "Users           \(count(totals.users))  \(grouped(totals.mails)) welcome mails",
            "Input           \(count(totals.skippedLines))  lines skipped, \(grouped(totals.malformedRows)) malformed",
        ]
    }

    private var messages: [String] {
        let rate = seconds > 0 ? Int64(Double(totals.messages) / seconds) : 0
        // The store's messages are those of all its runs, the seconds are of this one.
        let pace =
            isResumed
            ? "in all runs; this one took \(tenths(seconds)) s" : "in \(tenths(seconds)) s, \(grouped(rate))/s"
        return [
            "",
            "Messages        \(count(totals.messages))  \(pace)",
            "  duplicates    \(count(totals.duplicatesSuppressed))  suppressed",
            "  check-backs   \(count(totals.checkBacks))  answered",
            "  deadlines     \(count(totals.deadlinesFired))  fired, \(grouped(totals.deadlinesCancelled)) cancelled",
            "  dead letters  \(count(totals.deadLetters))",
        ]
    }

    private func verdicts(_ isColoured: Bool) -> [String] {
        let width = checks.map(\.promise.count).max() ?? 0
        var lines = ["", "Checks"]
        for check in checks {
            let holds = check.violations == 0
            let mark = holds ? "✔" : "✘"
            let shown = isColoured ? "\u{1B}[\(holds ? 32 : 31)m\(mark)\u{1B}[0m" : mark
            let padding = String(repeating: " ", count: width - check.promise.count)
            lines.append("  \(shown) \(check.promise)\(padding)  \(check.arithmetic)")
            guard !holds else { continue }
            let more = check.violations - check.examples.count
            lines += check.examples.map { "      \($0)" }
            if more > 0 { lines.append("      and \(grouped(Int64(more))) more") }
        }
        lines.append("")
        if !isComplete { lines.append("Given up: nothing moved any more.") }
        lines.append(
            violations == 0 ? "Nothing lost, doubled or forgotten." : "\(grouped(Int64(violations))) violations.")
        return lines
    }

    private func count(_ value: Int64) -> String {
        let text = grouped(value)
        return String(repeating: " ", count: max(0, 9 - text.count)) + text
    }

    /// Twenty cells for all orders.
    private func bar(_ value: Int64) -> String {
        let cells = totals.orders > 0 ? Int((value * 20 + totals.orders / 2) / totals.orders) : 0
        return String(repeating: "█", count: cells) + String(repeating: "·", count: 20 - cells)
    }
}
