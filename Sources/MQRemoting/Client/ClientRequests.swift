import MQProtocol

/// Hands the requests that the peer of a client's connection sends to the client's closure.
final class ClientRequests: RequestHandler {
    private let onRequest: @Sendable (Frame, Connection) -> Void

    init(onRequest: @escaping @Sendable (Frame, Connection) -> Void) {
        self.onRequest = onRequest
    }

    func handle(_ request: Frame, on connection: Connection) {
        onRequest(request, connection)
    }
}
