import NIOCore

/// Drives one connection: keeps `slots` operations in flight, answers every response with the next request, and
/// writes everything one read brought in one flush.
final class LoadHandler<Work: Workload>: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private var work: Work
    private let meter: Meter
    private var started: [UInt64]
    private var inFlight = 0
    private var pending = ByteBuffer()
    private var outgoing = ByteBuffer()
    private var isDrained = false

    init(work: Work, meter: Meter, slots: Int) {
        self.work = work
        self.meter = meter
        started = Array(repeating: 0, count: slots)
    }

    func channelActive(context: ChannelHandlerContext) {
        let now = Moment.now()
        for slot in started.indices {
            begin(slot: slot, now: now)
        }
        flush(context)
        context.fireChannelActive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var incoming = unwrapInboundIn(data)
        if pending.readableBytes == 0 {
            pending = incoming
        } else {
            pending.writeBuffer(&incoming)
        }
        let now = Moment.now()
        do {
            while let response = try ResponseScanner.next(from: &pending) {
                receive(response, now: now)
            }
        } catch {
            meter.fail(error)
            context.close(promise: nil)
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        pending.discardReadBytes()
        flush(context)
        context.fireChannelReadComplete()
    }

    func channelInactive(context: ChannelHandlerContext) {
        if !isDrained { meter.fail(DriverError.connectionClosed) }
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        meter.fail(error)
        context.close(promise: nil)
    }

    private func receive(_ response: Response, now: Moment) {
        let slot = response.slot
        guard started.indices.contains(slot) else { return }
        switch work.receive(response, slot: slot, now: now, into: &outgoing) {
        case .continued:
            return
        case .finished(let messages):
            meter.count(messages: messages, latency: now.nanoseconds &- started[slot], at: now.nanoseconds)
        case .refused(let reason):
            meter.refuse(reason)
        }
        inFlight -= 1
        begin(slot: slot, now: now)
    }

    private func begin(slot: Int, now: Moment) {
        if meter.phase != .stopping, work.begin(slot: slot, now: now, into: &outgoing) {
            started[slot] = now.nanoseconds
            inFlight += 1
        } else if inFlight == 0, !isDrained {
            isDrained = true
            meter.connectionDrained()
        }
    }

    private func flush(_ context: ChannelHandlerContext) {
        guard outgoing.readableBytes > 0 else { return }
        let buffer = outgoing
        outgoing = context.channel.allocator.buffer(capacity: buffer.readableBytes)
        context.writeAndFlush(wrapOutboundOut(buffer), promise: nil)
    }
}

enum DriverError: Error, CustomStringConvertible {
    case connectionClosed
    case refused(String)

    var description: String {
        switch self {
        case .connectionClosed: "the server closed the connection in the middle of a run; its log says why"
        case .refused(let reason): reason
        }
    }
}
