import GRDB

extension Checks {
    /// Registration: each user has exactly one welcome mail, sent.
    static func usersAreWelcomedOnce(_ db: Database) throws -> CheckResult {
        let failing = try String.fetchAll(
            db,
            sql: """
                WITH mail AS (
                    SELECT address, count(*) AS mails, sum(state = 'sent') AS sent FROM effect
                    WHERE kind = 'mail' GROUP BY address)
                SELECT coalesce(account.address, mail.address) FROM account FULL JOIN mail USING (address)
                WHERE account.address IS NULL OR mail.mails IS NOT 1 OR mail.sent IS NOT 1
                ORDER BY 1
                """)
        let users = try sum(db, "SELECT count(*) FROM account")
        let mails = try sum(db, "SELECT count(*) FROM effect WHERE kind = 'mail' AND state = 'sent'")
        return CheckResult(
            "every user has one welcome mail", "\(grouped(users)) users = \(grouped(mails)) mails", failing: failing)
    }
}
