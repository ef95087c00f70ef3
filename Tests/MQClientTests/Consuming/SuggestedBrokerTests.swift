import MQProtocol
import Synchronization
import Testing

@testable import MQClient

/// A consumer between a master and its slave.
@Suite(.timeLimit(.minutes(1))) struct SuggestedBrokerTests {
    /// What a slave answers, as stock ones do, to an offset that has not reached it.
    private static func behind(_ code: ResponseCode) -> StubServer.Answer {
        StubServer.Answer(
            code: code,
            fields: [
                ("suggestWhichBrokerId", "0"), ("nextBeginOffset", "0"), ("minOffset", "0"), ("maxOffset", "0"),
            ])
    }

    @Test(
        "A slave that is behind is left for the master it names",
        arguments: [
            ResponseCode.pullRetryImmediately, .pullOffsetMoved,
        ])
    func slaveBehind(code: ResponseCode) async throws {
        let toSlave = StubServer.Answer(
            code: .pullRetryImmediately,
            fields: [
                ("suggestWhichBrokerId", "1"), ("nextBeginOffset", "0"), ("minOffset", "0"), ("maxOffset", "9"),
            ])
        let script = StubScript(pulls: [toSlave, try StubAnswer.found([0], next: 1)])
        try await StubServer.with(answer: { _ in Self.behind(code) }) { slave in
            script.serve(slave: slave.address)
            try await script.run(outcome: { _ in .consumed }) { _, deliveries, _ in
                await deliveries.wait(forCount: 1)
                #expect(slave.requests.contains { $0.requestCode == .pullMessage && $0.fields.string("topic") == "T" })
            }
        }
    }
}
