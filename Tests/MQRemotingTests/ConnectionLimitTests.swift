import MQProtocol
import NIOCore
import NIOEmbedded
import Testing

@testable import MQRemoting

@Suite struct ConnectionLimitTests {
    private func limits(_ change: (inout ConnectionLimits) -> Void) -> ConnectionLimits {
        var limits = ConnectionLimits()
        change(&limits)
        return limits
    }

    @Test func readingStopsAtTheInFlightLimitAndGoesOnWithWhatWasReceived() throws {
        let peer = try EmbeddedPeer(limits: limits { $0.maximumInFlight = 4 })
        var bytes = ByteBuffer()
        for opaque in 0..<10 as Range<Int32> {
            bytes.writeImmutableBuffer(.request(code: 10, opaque: opaque))
        }
        try peer.send(bytes)
        #expect(peer.handler.codes.count == 4)
        let reads = peer.readCount
        peer.channel.read()
        #expect(peer.readCount == reads)

        for request in peer.handler.takeWaiting() { peer.connection.reply(to: request, .success) }
        peer.endTurn()
        #expect(peer.handler.codes.count == 8)
        #expect(peer.readCount == reads)

        for request in peer.handler.takeWaiting() { peer.connection.reply(to: request, .success) }
        peer.endTurn()
        #expect(peer.handler.codes.count == 10)
        #expect(peer.readCount == reads + 1)
        #expect(try peer.takeFrames().map(\.opaque) == Array(0..<8))
    }

    @Test func oneWayRequestsWhoseWorkGoesOnCountAsInFlight() throws {
        let peer = try EmbeddedPeer(limits: limits { $0.maximumInFlight = 2 })
        peer.handler.onRequest = { _, connection in connection.beginOneWay() }
        for opaque in 0..<5 as Range<Int32> { try peer.send(code: 10, opaque: opaque, oneWay: true) }
        #expect(peer.handler.codes.count == 2)
        peer.connection.endOneWay()
        peer.endTurn()
        #expect(peer.handler.codes.count == 3)
    }

    @Test func repliesInsideTheHandlerDoNotRecurse() throws {
        let peer = try EmbeddedPeer(limits: limits { $0.maximumInFlight = 1 })
        peer.handler.onRequest = { request, connection in connection.reply(to: request.replyTo, .success) }
        var bytes = ByteBuffer()
        for opaque in 0..<2000 as Range<Int32> {
            bytes.writeImmutableBuffer(.request(code: 10, opaque: opaque))
        }
        try peer.send(bytes)
        peer.endTurn()
        #expect(try peer.takeFrames().map(\.opaque) == Array(0..<2000))
    }

    @Test func parkedRequestsLeaveRoomForOthers() throws {
        let peer = try EmbeddedPeer(limits: limits { $0.maximumInFlight = 2 })
        peer.handler.onRequest = { request, connection in
            if request.code == 11 { connection.park() }
        }
        for opaque in 0..<5 as Range<Int32> { try peer.send(code: 11, opaque: opaque) }
        try peer.send(code: 10, opaque: 5)
        #expect(peer.handler.codes.count == 6)
        #expect(peer.connection.intake.parked == 5)
        for request in peer.handler.takeWaiting().prefix(5) {
            peer.connection.unpark()
            peer.connection.reply(to: request, .pullNotFound)
        }
        #expect(peer.connection.intake.parked == 0)
        #expect(peer.connection.intake.inFlight == 1)
    }

    @Test func idleConnectionsAreClosed() throws {
        let peer = try EmbeddedPeer(limits: limits { $0.idleTimeout = .seconds(120) })
        peer.advance(.seconds(100))
        try peer.send(code: 34, opaque: 1, oneWay: true)
        peer.advance(.seconds(119))
        #expect(peer.isOpen)
        peer.advance(.seconds(1))
        #expect(!peer.isOpen)
        #expect(peer.handler.events.last == .turnEnded || peer.handler.events.last == .closed)
    }

    @Test func writingCountsAsActivity() throws {
        let peer = try EmbeddedPeer(limits: limits { $0.idleTimeout = .seconds(120) })
        peer.advance(.seconds(100))
        peer.connection.sendOneWay(.notifyConsumerIDsChanged, header: EmptyHeader())
        peer.endTurn()
        peer.advance(.seconds(119))
        #expect(peer.isOpen)
        peer.advance(.seconds(1))
        #expect(!peer.isOpen)
    }

    @Test func aFrameThatNeverBecomesCompleteIsGivenUp() throws {
        let peer = try EmbeddedPeer(limits: limits { $0.frameTimeout = .seconds(30) })
        var bytes = ByteBuffer.request(code: 10, opaque: 1, bodyBytes: 100)
        for _ in 0..<29 {
            try peer.send(bytes.readSlice(length: 1) ?? ByteBuffer())
            peer.advance(.seconds(1))
            #expect(peer.isOpen)
        }
        peer.advance(.seconds(1))
        #expect(!peer.isOpen)
        #expect(peer.handler.codes == [])
    }

    @Test func aPeerThatIsNotReadIsNotBlamedForItsPartialFrame() throws {
        let peer = try EmbeddedPeer(
            limits: limits {
                $0.maximumInFlight = 1
                $0.frameTimeout = .seconds(30)
            })
        var bytes = ByteBuffer.request(code: 10, opaque: 1)
        bytes.writeImmutableBuffer(.request(code: 10, opaque: 2))
        try peer.send(bytes.readSlice(length: bytes.readableBytes - 3) ?? ByteBuffer())
        peer.advance(.seconds(60))
        #expect(peer.isOpen)
        for request in peer.handler.takeWaiting() { peer.connection.reply(to: request, .success) }
        peer.endTurn()
        peer.advance(.seconds(30))
        #expect(!peer.isOpen)
    }

    @Test func aSlowReaderIsNotReadAndThenClosed() throws {
        let peer = try EmbeddedPeer(limits: limits { $0.drainTimeout = .seconds(60) })
        let reads = peer.readCount
        peer.channel.isWritable = false
        peer.channel.pipeline.fireChannelWritabilityChanged()
        #expect(!peer.connection.isWritable)
        peer.channel.read()
        #expect(peer.readCount == reads)
        peer.advance(.seconds(59))
        #expect(peer.isOpen)
        peer.advance(.seconds(1))
        #expect(!peer.isOpen)
    }

    @Test func aSlowReaderThatCatchesUpIsReadAgain() throws {
        let peer = try EmbeddedPeer(limits: limits { $0.drainTimeout = .seconds(60) })
        peer.channel.isWritable = false
        peer.channel.pipeline.fireChannelWritabilityChanged()
        peer.channel.read()
        try peer.send(code: 10, opaque: 1)
        #expect(peer.handler.codes == [])
        let reads = peer.readCount
        peer.channel.isWritable = true
        peer.channel.pipeline.fireChannelWritabilityChanged()
        peer.endTurn()
        #expect(peer.handler.codes == [10])
        #expect(peer.readCount == reads + 1)
        peer.advance(.seconds(61))
        #expect(peer.isOpen)
    }

    @Test func aSmallPartOfAFrameKeepsLittleMemory() throws {
        let peer = try EmbeddedPeer()
        var bytes = ByteBuffer()
        bytes.reserveCapacity(1 << 20)
        bytes.writeImmutableBuffer(.request(code: 10, opaque: 1, bodyBytes: 10_000))
        bytes.writeInteger(Int32(16_000_000))
        try peer.send(bytes)
        #expect(peer.receivedCapacity <= 4096 + 64)
    }
}
