import NIOCore

/// What became of one response.
enum Step {
    /// The operation is complete; it stood for so many messages.
    case finished(messages: Int)
    /// A follow-up request of the same operation was written.
    case continued
    /// The server refused; the text goes into the report.
    case refused(String)
}

/// One kind of load: writes requests, understands their responses. Confined to one connection.
protocol Workload: SendableMetatype {
    /// Writes the first request of a new operation. False when there is nothing left to do.
    mutating func begin(slot: Int, now: Moment, into buffer: inout ByteBuffer) -> Bool

    /// Takes the answer to the slot's last request, and may write its next one.
    mutating func receive(_ response: Response, slot: Int, now: Moment, into buffer: inout ByteBuffer) -> Step
}

/// One reading of both clocks, shared by everything one event-loop turn does.
struct Moment {
    /// For latencies.
    let nanoseconds: UInt64
    /// For born timestamps.
    let wallMilliseconds: Int64
}

extension Response {
    /// Codes of a stored message: success, and the three that say the flush or the slave was late.
    var isStored: Bool {
        code == 0
    }

    func refusal(_ request: String) -> Step {
        .refused("\(request) answered code \(code): \(String(buffer: header))")
    }
}
