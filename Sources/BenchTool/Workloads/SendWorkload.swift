import NIOCore

/// Sends the same frame over and over: one message, or one batch.
struct SendWorkload: Workload {
    private let template: FrameTemplate
    private let messagesPerFrame: Int
    private let queues: Int
    private var remaining: Int?
    private var sequence: UInt64

    /// - Parameters:
    ///   - limit: frames to send in all; nil for no limit.
    ///   - connection: keeps the unique ids of connections apart.
    init(template: FrameTemplate, messagesPerFrame: Int, queues: Int, limit: Int? = nil, connection: Int = 0) {
        self.template = template
        self.messagesPerFrame = messagesPerFrame
        self.queues = queues
        remaining = limit
        sequence = UInt64(connection) * 10_000_000_000
    }

    mutating func begin(slot: Int, now: Moment, into buffer: inout ByteBuffer) -> Bool {
        if let left = remaining {
            guard left > 0 else { return false }
            remaining = left - 1
        }
        sequence &+= 1
        let queue = Int(truncatingIfNeeded: sequence % UInt64(queues))
        template.write(
            slot: slot, bornMilliseconds: now.wallMilliseconds, unique: sequence, queue: queue, into: &buffer)
        return true
    }

    mutating func receive(_ response: Response, slot: Int, now: Moment, into buffer: inout ByteBuffer) -> Step {
        response.isStored ? .finished(messages: messagesPerFrame) : response.refusal("A send")
    }
}
