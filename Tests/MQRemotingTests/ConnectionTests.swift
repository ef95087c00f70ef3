import MQProtocol
import NIOCore
import NIOEmbedded
import TestSupport
import Testing

@testable import MQRemoting

@Suite struct ConnectionTests {
    @Test func repliesOfOneTurnLeaveInOneWriteAfterTheTurnsWork() throws {
        let peer = try EmbeddedPeer()
        var staged: [ReplyTo] = []
        peer.handler.onRequest = { request, _ in staged.append(request.replyTo) }
        peer.handler.onTurnEnd = {
            for request in staged { peer.connection.reply(to: request, .success) }
            staged = []
        }
        try peer.send(code: 10, opaque: 1)
        try peer.send(code: 10, opaque: 2)
        #expect(try peer.takeWrites().isEmpty)
        peer.endTurn()
        let writes = try peer.takeWrites()
        #expect(writes.count == 1)
        #expect(
            peer.handler.events == [
                .opened, .request(code: 10, opaque: 1), .request(code: 10, opaque: 2), .turnEnded,
            ])
        var all = try #require(writes.first)
        var decoder = FrameDecoder()
        #expect(try decoder.next(from: &all)?.opaque == 1)
        #expect(try decoder.next(from: &all)?.opaque == 2)
        #expect(all.readableBytes == 0)
    }

    @Test func aTurnWithManyRequestsEndsInParts() throws {
        let peer = try EmbeddedPeer()
        peer.handler.onRequest = { request, connection in connection.reply(to: request.replyTo, .success) }
        var requests = ByteBuffer()
        for opaque in 0..<70 {
            var request = ByteBuffer.request(code: 10, opaque: Int32(opaque))
            requests.writeBuffer(&request)
        }
        try peer.send(requests)
        let early = try peer.takeFrames().map(\.opaque)
        #expect(early == Array(0..<64))
        #expect(peer.handler.events.count { $0 == .turnEnded } == 2)
        peer.endTurn()
        #expect(try peer.takeFrames().map(\.opaque) == Array(64..<70))
        #expect(peer.handler.events.last == .turnEnded)
    }

    @Test func repliesMadeInALaterTurnAreFlushedAtItsEnd() throws {
        let peer = try EmbeddedPeer()
        try peer.send(code: 11, opaque: 5)
        peer.endTurn()
        #expect(try peer.takeFrames().isEmpty)
        let waiting = peer.handler.takeWaiting()
        peer.connection.handle.onLoop { connection in
            for request in waiting { connection.reply(to: request, .pullNotFound) }
        }
        #expect(try peer.takeFrames().isEmpty)
        peer.endTurn()
        let frames = try peer.takeFrames()
        #expect(frames.map(\.opaque) == [5])
        #expect(frames.first?.isResponse == true)
    }

    @Test func oneWayRequestsAreNotAnswered() throws {
        let peer = try EmbeddedPeer()
        peer.handler.onRequest = { request, connection in connection.reply(to: request.replyTo, .systemError) }
        try peer.send(code: 37, opaque: 1, oneWay: true)
        peer.endTurn()
        #expect(peer.handler.codes == [37])
        #expect(try peer.takeWrites().isEmpty)
        #expect(peer.connection.intake.inFlight == 0)
    }

    @Test func bytesThatArriveOneByOneMakeTheSameFrames() throws {
        let peer = try EmbeddedPeer()
        var bytes = ByteBuffer.request(code: 10, opaque: 1, bodyBytes: 700)
        var second = ByteBuffer.request(code: 34, opaque: 2)
        bytes.writeBuffer(&second)
        var bodies: [Int] = []
        peer.handler.onRequest = { request, _ in bodies.append(request.body.readableBytes) }
        while let byte = bytes.readSlice(length: 1) {
            try peer.send(byte)
        }
        #expect(peer.handler.codes == [10, 34])
        #expect(bodies == [700, 0])
    }

    @Test func anyCutOfTheStreamMakesTheSameFrames() throws {
        var generator = SeededGenerator()
        for _ in 0..<50 {
            let peer = try EmbeddedPeer()
            let count = Int32.random(in: 1...30, using: &generator)
            var bytes = ByteBuffer()
            for opaque in 0..<count {
                bytes.writeImmutableBuffer(
                    .request(code: 10, opaque: opaque, bodyBytes: .random(in: 0...9000, using: &generator)))
            }
            while bytes.readableBytes > 0 {
                let length = min(bytes.readableBytes, Int.random(in: 1...20_000, using: &generator))
                try peer.send(bytes.readSlice(length: length) ?? ByteBuffer())
            }
            let expected = (0..<count).map { RecordingHandler.Event.request(code: 10, opaque: $0) }
            #expect(Array(peer.handler.events.dropFirst()) == expected)
        }
    }

    @Test func randomBytesNeverDoMoreThanCloseTheConnection() throws {
        var generator = SeededGenerator()
        for _ in 0..<500 {
            let peer = try EmbeddedPeer()
            for _ in 0..<5 where peer.isOpen {
                let length = Int.random(in: 1...300, using: &generator)
                let bytes = (0..<length).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
                try peer.send(ByteBuffer(bytes: bytes))
                peer.endTurn()
            }
            peer.connection.close()
            #expect(peer.ends == 1)
            #expect(peer.handler.events.last != .opened)
        }
    }

    @Test func aFrameTooLargeIsRefusedByItsLengthAlone() throws {
        var limits = ConnectionLimits()
        limits.maximumFrameBytes = 1000
        let peer = try EmbeddedPeer(limits: limits)
        try peer.send(ByteBuffer(integer: Int32(997)))
        #expect(!peer.isOpen)
        #expect(peer.connection.closeReason?.code == .protocolViolation)
        #expect(peer.handler.events.first == .opened)
        #expect(peer.handler.events.contains(.closed))
    }

    @Test func theLargestFrameIsServed() throws {
        var limits = ConnectionLimits()
        limits.maximumFrameBytes = 100_000
        let empty = ByteBuffer.request(code: 10, opaque: 1).readableBytes
        let peer = try EmbeddedPeer(limits: limits)
        try peer.send(code: 10, opaque: 1, bodyBytes: 100_000 - empty)
        #expect(peer.handler.codes == [10])
        #expect(peer.isOpen)
        let other = try EmbeddedPeer(limits: limits)
        try other.send(code: 10, opaque: 1, bodyBytes: 100_001 - empty)
        #expect(other.handler.codes == [])
        #expect(!other.isOpen)
    }

    @Test func largeBodiesAreHandedOverUncopiedAndInOrder() throws {
        let peer = try EmbeddedPeer()
        peer.handler.onRequest = { request, connection in
            let body = ByteBuffer(repeating: UInt8(request.opaque), count: 100_000)
            connection.reply(
                head: { $0.writeBytes([0xAA, UInt8(request.opaque)]) },
                body: body
            )
        }
        try peer.send(code: 11, opaque: 1)
        try peer.send(code: 11, opaque: 2)
        peer.endTurn()
        let writes = try peer.takeWrites()
        #expect(writes.map(\.readableBytes) == [2, 100_000, 2, 100_000])
        #expect(writes[2].getBytes(at: writes[2].readerIndex, length: 2) == [0xAA, 2])
    }

    @Test func aClosedConnectionDropsRepliesAndTellsTheHandlerOnce() throws {
        let peer = try EmbeddedPeer()
        try peer.send(code: 10, opaque: 1)
        let handle = peer.connection.handle
        peer.connection.close()
        peer.connection.reply(to: ReplyTo(opaque: 1), .success)
        handle.onLoop { _ in Issue.record("called on a closed connection") }
        peer.endTurn()
        _ = try? peer.channel.finish()
        #expect(try peer.takeWrites().isEmpty)
        #expect(peer.handler.events.filter { $0 == .closed }.count == 1)
        #expect(peer.ends == 1)
    }

    @Test func aConnectionThatEndsBeforeItWasActiveIsForgotten() throws {
        let peer = try EmbeddedPeer(connects: false)
        _ = try? peer.channel.finish()
        #expect(peer.ends == 1)
        #expect(peer.handler.events == [])
    }

    @Test func closingFlushesWhatIsWritten() throws {
        let peer = try EmbeddedPeer()
        peer.handler.onRequest = { request, connection in
            connection.reply(to: request.replyTo, .success)
            connection.close()
        }
        try peer.send(code: 10, opaque: 9)
        #expect(try peer.takeFrames().map(\.opaque) == [9])
        #expect(!peer.isOpen)
    }

    @Test func plainConnectionsAreRefusedWhereTLSIsEnforced() throws {
        let peer = try EmbeddedPeer(tls: .enforcing)
        try peer.send(code: 10, opaque: 1)
        #expect(!peer.isOpen)
        #expect(peer.connection.closeReason?.code == .tls)
        #expect(peer.handler.codes == [])
    }

    @Test(arguments: [ServerTLS.Mode.permissive, .disabled])
    func aTLSHelloIsRefusedWithoutCertificate(mode: ServerTLS.Mode) throws {
        let peer = try EmbeddedPeer(tls: mode)
        try peer.send(ByteBuffer(bytes: [0x16, 3, 1, 0, 200]))
        #expect(!peer.isOpen)
        #expect(peer.connection.closeReason?.code == .tls)
    }
}
