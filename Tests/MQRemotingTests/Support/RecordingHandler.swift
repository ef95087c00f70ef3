import MQProtocol
import MQRemoting

/// Remembers what happened to it and does what the test says.
final class RecordingHandler: RequestHandler {
    enum Event: Equatable {
        case opened
        case request(code: Int32, opaque: Int32)
        case turnEnded
        case closed
    }

    private(set) var events: [Event] = []
    private(set) var waiting: [ReplyTo] = []
    var onRequest: (Frame, Connection) -> Void = { _, _ in }
    var onTurnEnd: () -> Void = {}

    var codes: [Int32] {
        events.compactMap { event in
            if case .request(let code, _) = event { code } else { nil }
        }
    }

    func handle(_ request: Frame, on connection: Connection) {
        events.append(.request(code: request.code, opaque: request.opaque))
        waiting.append(request.replyTo)
        onRequest(request, connection)
    }

    func connectionOpened(_ connection: Connection) {
        events.append(.opened)
    }

    func connectionClosed(_ connection: Connection) {
        events.append(.closed)
    }

    func turnEnded() {
        events.append(.turnEnded)
        onTurnEnd()
    }

    func takeWaiting() -> [ReplyTo] {
        defer { waiting = [] }
        return waiting
    }
}
