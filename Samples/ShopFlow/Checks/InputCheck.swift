import GRDB

extension Checks {
    /// The input and the orders made of it: every line is used, skipped or malformed, and every used one has arrived.
    static func inputIsAccountedFor(_ input: InputCounts, orders db: Database) throws -> CheckResult {
        let ordered = try sum(db, "SELECT sum(lines) FROM shop_order")
        let returned = try sum(db, "SELECT sum(lines) FROM credit_note")
        let unread = input.lines - input.used - input.skipped - input.malformed
        let lost = Int64(input.used) - ordered - returned
        var failing: [String] = []
        if unread != 0 { failing.append("\(unread) input lines are neither used nor skipped nor malformed") }
        if lost != 0 { failing.append("\(lost) used lines are in no order and no return") }
        return CheckResult(
            "every input line is accounted for",
            "\(grouped(Int64(input.lines))) = \(grouped(ordered)) ordered + \(grouped(returned)) returned + "
                + "\(grouped(Int64(input.skipped))) skipped + \(grouped(Int64(input.malformed))) malformed",
            failing: failing)
    }
}
