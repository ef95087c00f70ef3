@testable import MQClient
import NIOCore
import Testing

@Suite struct SendAttemptsTests {
    private let start = NIODeadline.uptimeNanoseconds(1_000_000_000)

    private func attempts(_ limit: Int = 3) -> SendAttempts {
        SendAttempts(limit: limit, deadline: start + .seconds(3))
    }

    private let lost = MQClientError(.brokerUnreachable, "lost")

    private func refused(_ code: Int32) -> MQClientError {
        MQClientError(.refused, "no", responseCode: code)
    }

    @Test("Trying ends with the number of attempts")
    func limit() {
        var attempts = attempts()
        let goesOn = ["a", "b", "c"].map { attempts.failed(lost, at: $0, now: start) }
        #expect(goesOn == [true, true, false])
        #expect(attempts.error.code == .brokerUnreachable)
        #expect(attempts.error.message.contains("3 attempts (brokers a, b, c)"))
    }

    @Test("Trying ends with the time for all of them")
    func time() {
        var attempts = attempts()
        #expect(attempts.avoided == nil)
        let goesOn = [
            attempts.failed(lost, at: "a", now: start + .milliseconds(2999)),
            attempts.failed(lost, at: "b", now: start + .milliseconds(3000)),
        ]
        #expect(goesOn == [true, false])
        #expect(attempts.avoided == "b")
    }

    @Test("Another broker is tried after the answers after which stock producers try one", arguments: 0...230)
    func codes(code: Int) {
        var attempts = attempts()
        let goesOn = attempts.failed(refused(Int32(code)), at: "a", now: start)
        #expect(goesOn == [1, 14, 16, 17, 204, 205].contains(code))
        if !goesOn { #expect(attempts.error.message == "no") }
    }

    @Test("At least one attempt is made")
    func atLeastOne() {
        #expect(attempts(0).limit == 1)
    }
}
