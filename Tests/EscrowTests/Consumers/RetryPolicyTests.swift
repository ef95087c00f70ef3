import Testing

@testable import Escrow

/// When a failed delivery is tried again, and what an inbox has to remember for it.
@Suite struct RetryPolicyTests {
    private struct Hopeless: Error {}

    private let policy = RetryPolicy(
        immediate: 2, delays: [.seconds(5), .seconds(60)], isHopeless: { $0 is Hopeless })

    @Test func attemptsAreMadeAtOnceThenLaterThenNoMore() {
        let decisions = (1...6).map { policy.decide(failures: $0, error: Planned()) }
        #expect(decisions == [.again, .again, .after(.seconds(5)), .after(.seconds(60)), .giveUp, .giveUp])
        #expect(policy.attempts == 5)
        #expect(policy.horizon == .seconds(65))
    }

    @Test func aHopelessErrorIsGivenUpAtOnce() {
        #expect(policy.decide(failures: 1, error: Hopeless()) == .giveUp)
        #expect(policy.decide(failures: 1, error: HopelessDelivery(description: "no")) == .giveUp)
    }

    @Test func aHandlerMayNameThePauseButNotTheNumberOfAttempts() {
        let wanted = RetryWanted(delay: .seconds(7))
        #expect(policy.decide(failures: 1, error: wanted) == .after(.seconds(7)))
        #expect(policy.decide(failures: 4, error: wanted) == .after(.seconds(7)))
        #expect(policy.decide(failures: 5, error: wanted) == .giveUp)
    }

    @Test func itSaysWhatItDoes() {
        #expect("\(policy)" == "2 times at once, then after 5 s, 60 s; a dead letter after 5 attempts, 65 s")
        #expect(RetryPolicy.standard.attempts == 9)
    }

    // MARK: Inbox retention

    @Test func theInboxRemembersAWeekOrWhatIsNeeded() throws {
        let short = try InboxRetention.compute(
            wanted: nil, brokerRetention: .seconds(72 * 3600), slowest: ("a", .seconds(3600)))
        #expect(short == .seconds(7 * 86_400))
        let long = try InboxRetention.compute(
            wanted: nil, brokerRetention: .seconds(72 * 3600), slowest: ("a", .seconds(10 * 86_400)))
        #expect(long == .seconds(14 * 86_400))
    }

    /// What is read again after a broker lost the end of a queue is less than what the inbox remembers.
    @Test func theInboxRemembersMoreThanIsReadAgain() {
        #expect(InboxRetention.lostEndHorizon(.seconds(7 * 86_400)) == .seconds(6 * 86_400))
    }

    @Test func aShorterOneIsRefusedWithTheArithmetic() {
        do {
            _ = try InboxRetention.compute(
                wanted: .seconds(48 * 3600), brokerRetention: .seconds(72 * 3600), slowest: ("stock", .seconds(5400)))
            Issue.record("48 hours are too short")
        } catch {
            #expect(error.code == .invalidConfiguration)
            #expect(
                error.message.contains(
                    "inboxRetention is 48.0 h, and 97.5 h are needed: retries 1.5 h of \"stock\" + brokerRetention "
                        + "72.0 h + a day"))
        }
    }
}
