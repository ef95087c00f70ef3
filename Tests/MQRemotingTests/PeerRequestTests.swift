import MQProtocol
import NIOCore
import NIOEmbedded
import Testing

@testable import MQRemoting

/// Requests from this side to the peer.
@Suite struct PeerRequestTests {
    private final class Outcome {
        var frames: [Int32] = []
        var errors: [RemotingError] = []

        func take(_ result: Result<Frame, RemotingError>) {
            switch result {
            case .success(let frame): frames.append(frame.opaque)
            case .failure(let error): errors.append(error)
            }
        }
    }

    private func ask(_ peer: EmbeddedPeer, within timeout: Duration, _ outcome: Outcome) {
        peer.connection.request(
            .getConsumerStatusFromClient, header: EmptyHeader(), timeout: timeout, completion: outcome.take)
    }

    @Test func responsesFindTheirRequestsInAnyOrder() throws {
        let peer = try EmbeddedPeer()
        let outcome = Outcome()
        for _ in 0..<3 { ask(peer, within: .seconds(3), outcome) }
        peer.endTurn()
        let sent = try peer.takeFrames()
        #expect(sent.count == 3)
        #expect(Set(sent.map(\.opaque)).count == 3)
        for frame in sent.reversed() { try peer.send(.response(opaque: frame.opaque)) }
        #expect(outcome.frames == sent.reversed().map(\.opaque))
        #expect(peer.connection.table.isEmpty)
        #expect(peer.handler.codes == [])
    }

    @Test func aResponseThatNobodyWaitsForIsDropped() throws {
        let peer = try EmbeddedPeer()
        try peer.send(.response(opaque: 77))
        #expect(peer.isOpen)
        #expect(peer.handler.codes == [])
    }

    @Test func requestsTimeOutEachAtItsTime() throws {
        let peer = try EmbeddedPeer()
        let outcome = Outcome()
        ask(peer, within: .seconds(5), outcome)
        ask(peer, within: .seconds(3), outcome)
        peer.endTurn()
        let opaques = try peer.takeFrames().map(\.opaque)
        peer.advance(.milliseconds(2999))
        #expect(outcome.errors.isEmpty)
        peer.advance(.milliseconds(1))
        #expect(outcome.errors.map(\.code) == [.requestTimedOut])
        #expect(outcome.errors.first?.message.contains("192.0.2.9:4000") == true)
        try peer.send(.response(opaque: opaques[1]))
        try peer.send(.response(opaque: opaques[0]))
        #expect(outcome.frames == [opaques[0]])
        peer.advance(.seconds(10))
        #expect(outcome.errors.count == 1)
    }

    @Test func closingEndsTheWaitWithTheReason() throws {
        let peer = try EmbeddedPeer()
        let outcome = Outcome()
        ask(peer, within: .seconds(3), outcome)
        peer.endTurn()
        try peer.send(ByteBuffer(integer: Int32(-5)))
        #expect(outcome.errors.map(\.code) == [.disconnected])
        #expect((outcome.errors.first?.cause as? RemotingError)?.code == .protocolViolation)
        ask(peer, within: .seconds(3), outcome)
        #expect(outcome.errors.last?.code == .notSent)
        #expect(outcome.errors.last?.isNotSent == true)
    }

    @Test func requestsOfBothSidesDoNotMixWhenTheirOpaquesAreEqual() throws {
        let peer = try EmbeddedPeer()
        let outcome = Outcome()
        ask(peer, within: .seconds(3), outcome)
        peer.endTurn()
        let opaque = try #require(try peer.takeFrames().first?.opaque)
        try peer.send(code: 34, opaque: opaque)
        #expect(outcome.frames.isEmpty)
        #expect(peer.handler.codes == [34])
        try peer.send(.response(opaque: opaque))
        #expect(outcome.frames == [opaque])
    }

    @Test func drainingAnswersWhatIsInFlightAndDropsWhatIsParked() throws {
        let peer = try EmbeddedPeer()
        try peer.send(code: 10, opaque: 1)
        try peer.send(code: 11, opaque: 2)
        peer.connection.park()
        peer.connection.drain()
        peer.endTurn()
        #expect(peer.isOpen)
        try peer.send(code: 10, opaque: 3)
        #expect(peer.handler.codes == [10, 11])
        peer.connection.reply(to: ReplyTo(opaque: 1), .success)
        peer.endTurn()
        #expect(try peer.takeFrames().map(\.opaque) == [1])
        #expect(!peer.isOpen)
    }
}
