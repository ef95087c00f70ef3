/// How long the inbox must remember: a message that comes again after it was forgotten would have its effect twice.
enum InboxRetention {
    private static let least = Duration.seconds(7 * 86_400)
    private static let margin = Duration.seconds(86_400)

    /// - Throws: ``EscrowError/Code/invalidConfiguration`` with the arithmetic.
    static func compute(
        wanted: Duration?, brokerRetention: Duration, slowest: (consumer: String, horizon: Duration)?
    ) throws(EscrowError) -> Duration {
        let retries = slowest?.horizon ?? .zero
        let needed = retries + brokerRetention + margin
        guard let wanted else { return max(least, needed) }
        guard wanted >= needed else {
            throw EscrowError(
                .invalidConfiguration,
                "inboxRetention is \(hours(wanted)), and \(hours(needed)) are needed: retries "
                    + "\(hours(retries))\(slowest.map { " of \"\($0.consumer)\"" } ?? "") + brokerRetention "
                    + "\(hours(brokerRetention)) + a day. A shorter one would let a late delivery have its effect "
                    + "twice.")
        }
        return wanted
    }

    /// How old a message may be that is read again after a broker lost the end of a queue: the inbox remembers from the
    /// time of handling, which is later than the broker's, and the clocks of the two may differ by a day.
    static func lostEndHorizon(_ retention: Duration) -> Duration {
        retention - margin
    }

    private static func hours(_ duration: Duration) -> String {
        "\((duration.components.seconds * 10 / 3600).description.tenths) h"
    }
}

extension String {
    /// `125` becomes `12.5`.
    fileprivate var tenths: String {
        let digits = count < 2 ? "0" + self : self
        return "\(digits.dropLast()).\(digits.suffix(1))"
    }
}
