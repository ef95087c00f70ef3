import Foundation

extension FlowReport {
    /// One object on one line.
    public func json() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(Figures(self)), as: UTF8.self)
    }

    private struct Figures: Encodable {
        var orders, paid, cancelled, rejected, refunds, returns, skippedLines, malformedRows, unitsSold: Int64
        var unitsReturned, users, mails, messages, duplicatesSuppressed, deadlinesFired, deadlinesCancelled: Int64
        var checkBacks, deadLetters: Int64
        var violations: Int
        var seconds: Double
        var checks: [Check]

        struct Check: Encodable {
            var promise: String
            var arithmetic: String
            var violations: Int
            var examples: [String]
        }

        init(_ report: FlowReport) {
            let totals = report.totals
            orders = totals.orders
            paid = totals.paid
            cancelled = totals.cancelled
            rejected = totals.rejected
            refunds = totals.refunds
            returns = totals.returns
            skippedLines = totals.skippedLines
            malformedRows = totals.malformedRows
            unitsSold = totals.unitsSold
            unitsReturned = totals.unitsReturned
            users = totals.users
            mails = totals.mails
            messages = totals.messages
            duplicatesSuppressed = totals.duplicatesSuppressed
            deadlinesFired = totals.deadlinesFired
            deadlinesCancelled = totals.deadlinesCancelled
            checkBacks = totals.checkBacks
            deadLetters = totals.deadLetters
            violations = report.violations
            seconds = (report.seconds * 1000).rounded() / 1000
            checks = report.checks.map {
                Check(
                    promise: $0.promise, arithmetic: $0.arithmetic, violations: $0.violations, examples: $0.examples)
            }
        }
    }
}
