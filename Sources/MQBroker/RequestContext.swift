package import MQProtocol
package import MQRemoting
package import NIOCore

/// What a request handler that is not on the hot path is given.
///
/// Handlers are static functions grouped by family in `Requests/<Family>`; `BrokerLoop` calls them on the event loop of
/// the connection. They must not block: what may touch a slow disk returns ``Outcome/later(_:)``.
package struct RequestContext {
    package let frame: Frame
    package let connection: ServerConnection
    package let broker: Broker
    package let now: Timestamp

    package init(frame: Frame, connection: ServerConnection, broker: Broker, now: Timestamp) {
        self.frame = frame
        self.connection = connection
        self.broker = broker
        self.now = now
    }
}

/// What became of a request.
package enum Outcome {
    /// The answer, written in this event-loop turn.
    case reply(Reply)
    /// The answer follows; a failed future becomes code 1 with the error's text.
    case later(EventLoopFuture<Reply>)
    /// There is no answer to this request.
    case none

    /// Success without header fields or body.
    package static var success: Outcome { .reply(Reply()) }
}

/// An answer of a handler that is not on the hot path.
package struct Reply: Sendable {
    package var code: ResponseCode
    package var remark: String?
    package var header: any CommandHeader
    package var body: ByteBuffer?

    package init(
        code: ResponseCode = .success,
        remark: String? = nil,
        header: any CommandHeader = EmptyHeader(),
        body: ByteBuffer? = nil
    ) {
        self.code = code
        self.remark = remark
        self.header = header
        self.body = body
    }
}

/// A refusal: the response code and the remark the peer gets to read.
package struct RequestError: Error, Sendable {
    package var code: ResponseCode
    package var remark: String

    package init(_ code: ResponseCode, _ remark: String) {
        self.code = code
        self.remark = remark
    }
}
