import MQClient
import MQProtocol
import Synchronization
import Testing

@testable import ShopFlow

/// Questions to brokers that are away for a while.
@Suite(.timeLimit(.minutes(1))) struct PatienceTests {
    private let clock = ManualClock(start: .zero)
    private let said = Said()

    private func ask(_ question: () async throws -> Int) async throws -> Int {
        let said = said
        return try await Patience(
            time: .manual(clock), onWait: { said.say("waits") }, onAnswer: { said.say("goes on") }
        ).ask(question)
    }

    /// The clock moves while everybody sleeps.
    private func askAsTimePasses(_ question: () async throws -> Int) async throws -> Int {
        let clock = clock
        let clockwork = Task {
            while !Task.isCancelled {
                await clock.waitForSleepers(count: 1)
                clock.advance(by: .milliseconds(100))
            }
        }
        defer { clockwork.cancel() }
        return try await ask(question)
    }

    @Test func aQuickAnswerIsGivenSilently() async throws {
        let answer = try await ask { 7 }
        #expect(answer == 7)
        #expect(said.all == [])
    }

    /// After 5 s the notice, every 0.2 s the question.
    @Test func aLongWaitIsSaidOnceAndItsEndToo() async throws {
        let said = said
        let answer = try await askAsTimePasses {
            guard said.all.isEmpty else { return 7 }
            throw MQClientError(.brokerUnreachable, "away")
        }
        #expect(answer == 7)
        #expect(said.all == ["waits", "goes on"])
    }

    /// A name server that was just started knows no broker: nothing that it says of topics counts.
    @Test func aNameServerThatKnowsNoBrokerYetIsAskedAgain() async throws {
        let asked = Mutex(0)
        let answer = try await askAsTimePasses {
            let count = asked.withLock { count in
                count += 1
                return count
            }
            guard count > 3 else { throw FlowError(.brokerUnreachable, "unknown") }
            return 7
        }
        #expect(answer == 7 && asked.withLock { $0 } == 4)
    }

    @Test func whatCannotPassIsThrownAtOnce() async throws {
        await #expect(throws: MQClientError.self) {
            _ = try await ask { throw MQClientError(.groupNotFound, "no such group") }
        }
        #expect(said.all == [])
    }
}

private final class Said: Sendable {
    private let lines = Mutex<[String]>([])

    func say(_ line: String) {
        lines.withLock { $0.append(line) }
    }

    var all: [String] { lines.withLock { $0 } }
}
