import MQProtocol
import MQRemoting
import NIOCore
import NIOPosix

/// The requests of one event loop. What may wait for a disk or compute for long leaves the loop.
final class NameServerLoop: RequestHandler {
    /// A larger registration is decoded elsewhere, and any compressed one: it may be a thousand times as long as it
    /// looks.
    private static let inlineBodyBytes = 64 * 1024

    private let requests: NameServerRequests
    /// By connection of which a registration is being decoded elsewhere: what it said of its brokers since. It is heard
    /// in order: a broker that leaves must not come back by what it sent before.
    private var waiting: [UInt64: CircularBuffer<Frame>] = [:]

    init(registry: Registry) {
        requests = NameServerRequests(registry: registry)
    }

    func connectionOpened(_ connection: Connection) {
        requests.registry.connectionOpened(connection.handle)
    }

    func connectionClosed(_ connection: Connection) {
        waiting[connection.id] = nil
        requests.registry.connectionLost(connection.handle)
    }

    func handle(_ request: Frame, on connection: Connection) {
        if concernsBroker(request), waiting[connection.id] != nil {
            waiting[connection.id]?.append(request)
        } else {
            answer(request, on: connection)
        }
    }

    private func answer(_ request: Frame, on connection: Connection) {
        let handle = connection.handle
        guard isSlow(request) else {
            Self.send(requests.answer(request, from: handle), to: request.replyTo, on: connection)
            return
        }
        let isOrdered = concernsBroker(request)
        if isOrdered, waiting[connection.id] == nil { waiting[connection.id] = [] }
        let requests = requests
        let bound = NIOLoopBound(self, eventLoop: connection.eventLoop)
        NIOThreadPool.singleton.submit { _ in
            let answer = requests.answer(request, from: handle)
            handle.onLoop { connection in
                NameServerLoop.send(answer, to: request.replyTo, on: connection)
                if isOrdered { bound.value.goOn(with: connection) }
            }
        }
    }

    /// Answers what waited, up to the next registration that is decoded elsewhere.
    private func goOn(with connection: Connection) {
        while let next = waiting[connection.id]?.popFirst() {
            answer(next, on: connection)
            if isSlow(next) { return }
        }
        waiting[connection.id] = nil
    }

    private func concernsBroker(_ request: Frame) -> Bool {
        request.requestCode == .registerBroker || request.requestCode == .unregisterBroker
    }

    private func isSlow(_ request: Frame) -> Bool {
        switch request.requestCode {
        case .putKVConfig, .deleteKVConfig, .updateNameServerConfig: true
        case .registerBroker:
            request.body.readableBytes > Self.inlineBodyBytes || request.fields.bool("compressed") == true
        default: false
        }
    }

    private static func send(_ answer: Answer, to request: ReplyTo, on connection: Connection) {
        if let header = answer.header {
            connection.reply(to: request, answer.code, remark: answer.remark, header: header, body: answer.body)
        } else {
            connection.reply(to: request, answer.code, remark: answer.remark, body: answer.body)
        }
    }
}
