import GRDB
import MQClient
import MQProtocol

/// Says what a run waits for while nothing moves.
struct Stall: Sendable {
    let store: Store
    let halves: HalfMessages
    let nameServers: NameServerAddresses
    /// The store outlives the run.
    let isKept: Bool

    /// Without progress for so long, people want to know why.
    static let length = Duration.seconds(5)

    /// Nil while all is well.
    func cause(now: Timestamp) async throws -> String? {
        if try await isTimeOnly(now) { return nil }
        let undecided: Int
        do {
            undecided = try await halves.undecided().count
        } catch is MQClientError, is FlowError {
            try Task.checkCancellation()
            return brokerIsAway
        }
        if undecided > 0 {
            let messages = undecided == 1 ? "one message" : "\(undecided) messages"
            return "\(Self.beginning) a broker asks within about a minute what became of \(messages). \(hint)"
        }
        let work = try await OpenWork.count(store)
        return work.isNothing ? nil : "\(Self.beginning) the broker answers, still open: \(work.count). \(hint)"
    }

    /// What is said of a broker that does not answer.
    var brokerIsAway: String { "\(Self.beginning) is the broker at \(nameServers) running? \(hint)" }

    private static let beginning = "waiting: no progress for 5 s;"

    private var hint: String {
        isKept ? "Ctrl-C is safe, the same --store goes on later." : "Ctrl-C ends the run."
    }

    /// Whether a broker is to ask what became of a message.
    func waitsForCheckBack() async -> Bool { (try? await halves.undecided())?.isEmpty == false }

    /// Whether nothing is open but deadlines whose time has not come.
    func isTimeOnly(_ now: Timestamp) async throws -> Bool {
        var moving = try await store.orders.read { db in
            try Checks.sum(db, "SELECT count(*) FROM shop_order WHERE state = 'placed'")
        }
        var later: Int64 = 0
        for (_, database) in store.services {
            moving += try await database.read { db in
                try Checks.sum(db, "SELECT count(*) FROM escrow_outbox")
                    + Checks.sum(db, "SELECT count(*) FROM escrow_fence WHERE acknowledged IS NULL")
            }
            later += try await database.read { db in
                try Checks.sum(
                    db, "SELECT count(*) FROM escrow_deadline WHERE state = 'armed' AND due > \(now.milliseconds)")
            }
        }
        return moving == 0 && later > 0
    }
}
