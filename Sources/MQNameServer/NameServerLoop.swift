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

    init(registry: Registry) {
        requests = NameServerRequests(registry: registry)
    }

    func handle(_ request: Frame, on connection: Connection) {
        let handle = connection.handle
        guard isSlow(request) else {
            Self.send(requests.answer(request, from: handle), to: request.replyTo, on: connection)
            return
        }
        let requests = requests
        NIOThreadPool.singleton.submit { _ in
            let answer = requests.answer(request, from: handle)
            handle.onLoop { NameServerLoop.send(answer, to: request.replyTo, on: $0) }
        }
    }

    func connectionClosed(_ connection: Connection) {
        requests.registry.connectionLost(connection.handle)
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
