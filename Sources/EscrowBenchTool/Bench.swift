import MQEmbedded

/// All measurements, one after the other.
struct Bench {
    let seconds: Double
    let messages: Int
    let only: String

    static let inFlight = [1, 16, 64]
    static let handled = "handled once, start included"
    static let deadlines = "deadlines at 1,000/s, ms late"

    static func transactions(_ inFlight: Int) -> String { "transactions, \(inFlight) in flight" }

    /// One line of the table, and how it is measured.
    private struct Plan {
        var name: String
        var byHand: String?
        var measure: (Site) async throws -> Measured
    }

    private var plans: [Plan] {
        let (seconds, messages) = (seconds, messages)
        var plans = [
            Plan(name: "by hand: raw SQLite, 64 a commit") { _ in try await RawSQLite.measure(seconds: seconds) },
            Plan(name: Self.handled, byHand: "by hand: raw SQLite, 64 a commit") { try await $0.handled(messages) },
        ]
        for count in Self.inFlight {
            let bare = "half and verdict only, \(count) in flight"
            let hand = "by hand: half, commit, verdict, \(count)"
            plans += [
                Plan(name: bare) { try await $0.bareTransactions(inFlight: count, seconds: seconds) },
                Plan(name: hand) { try await $0.transactionsByHand(inFlight: count, seconds: seconds) },
                Plan(name: Self.transactions(count), byHand: hand) {
                    try await $0.transactions(inFlight: count, seconds: seconds)
                },
            ]
        }
        plans.append(Plan(name: Self.deadlines) { try await $0.deadlines(perSecond: 1000, seconds: seconds) })
        return plans
    }

    func run(_ say: (String) -> Void) async throws {
        Table.heading.forEach(say)
        var figures: [Figure] = []
        for plan in plans where only.isEmpty || plan.name.contains(only) {
            var figure = Figure(name: plan.name, byHand: plan.byHand)
            figure.asynchronous = try await Site.with(.asynchronous, plan.measure)
            figure.synchronous = try await Site.with(.synchronous, plan.measure)
            figures.append(figure)
            say(Table.line(figure, byHand: figures.first { $0.name == plan.byHand }))
        }
        let aims = Aims.check(figures)
        if !aims.isEmpty { say("") }
        aims.forEach(say)
    }
}
