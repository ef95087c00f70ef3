import Logging
import MQProtocol
import NIOCore
import NIOPosix
import Synchronization
import Testing

@testable import MQRemoting

/// Peers that answer nothing: those that are gone, and those that are only slow.
@Suite(.timeLimit(.minutes(1))) struct SilenceTests {
    private final class Outcomes {
        var codes: [RemotingError.Code] = []
        /// Whether the connection was open when the request ended.
        var wereOpen: [Bool] = []
    }

    private func ask(_ peer: EmbeddedPeer, timeout: Duration, _ outcomes: Outcomes) {
        peer.connection.request(.sendMessage, header: EmptyHeader(), timeout: timeout) { result in
            if case .failure(let error) = result { outcomes.codes.append(error.code) }
            outcomes.wereOpen.append(peer.connection.isOpen)
        }
    }

    @Test func aPeerThatSendsNothingWhileARequestWaitsIsGivenUp() throws {
        let peer = try EmbeddedPeer(closesOnSilence: true)
        let outcomes = Outcomes()
        ask(peer, timeout: .seconds(30), outcomes)
        peer.advance(.seconds(1))
        ask(peer, timeout: .seconds(3), outcomes)
        peer.advance(.milliseconds(2999))
        #expect(peer.isOpen)
        // Written, as heartbeats are: it proves nothing about the peer.
        peer.connection.sendOneWay(.heartbeat, header: EmptyHeader())
        peer.advance(.milliseconds(1))
        #expect(!peer.isOpen)
        #expect(peer.connection.closeReason?.code == .closed)
        #expect(outcomes.codes.count == 2 && Set(outcomes.codes) == [.disconnected, .requestTimedOut])
        #expect(outcomes.wereOpen == [false, false])
    }

    /// Also a pull that the broker holds while it answers others.
    @Test func aPeerThatAnswersAnythingIsAlive() throws {
        let peer = try EmbeddedPeer(closesOnSilence: true)
        let outcomes = Outcomes()
        ask(peer, timeout: .seconds(3), outcomes)
        peer.advance(.seconds(1))
        ask(peer, timeout: .seconds(3), outcomes)
        peer.endTurn()
        let answered = try #require(try peer.takeFrames().last)
        try peer.send(.response(opaque: answered.opaque))
        peer.advance(.seconds(10))
        #expect(outcomes.codes == [.requestTimedOut])
        #expect(peer.isOpen)
    }

    /// A client owes its broker nothing: it may be a stock one that does not know the request.
    @Test func aServerKeepsClientsThatDoNotAnswer() throws {
        let peer = try EmbeddedPeer()
        let outcomes = Outcomes()
        ask(peer, timeout: .seconds(3), outcomes)
        peer.advance(.seconds(3))
        #expect(outcomes.codes == [.requestTimedOut])
        #expect(peer.isOpen)
    }

    /// Answers only on connections after the first, as if the first one's peer had lost its power.
    private final class Revived: RequestHandler {
        private let dead = Mutex<UInt64?>(nil)

        func handle(_ request: Frame, on connection: Connection) {
            let isDead = dead.withLock { dead in
                dead = dead ?? connection.id
                return dead == connection.id
            }
            guard !isDead else { return connection.finishWithoutReply() }
            connection.reply(to: request.replyTo, .success)
        }
    }

    @Test func theNextRequestDialsAgain() async throws {
        let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let server = RemotingServer(RemotingServerConfiguration(), group: group, logger: quiet) { _ in Revived() }
        let address = try await server.bind().description
        let client = RemotingClient(group: .singleton, logger: quiet)
        let error = await #expect(throws: RemotingError.self) {
            try await client.request(to: address, .sendMessage, timeout: .milliseconds(50))
        }
        #expect(error?.code == .requestTimedOut)
        #expect(try await client.request(to: address, .sendMessage, timeout: .seconds(30)).code == 0)
        await client.shutdown()
        await server.shutdown(drain: .zero)
        try await group.shutdownGracefully()
    }
}
