import MQProtocol
import NIOCore

/// A message as it was read back.
struct FoundMessage: Sendable {
    var place: Place
    var body: ByteBuffer
    var keys: String?
    var tag: String?
    /// The property that ``Payload`` gives each message.
    var note: String?
    var flag: Int32
    var storedAt: Timestamp
}

/// What one queue gave out, in the order of reading.
struct QueueContents: Sendable {
    var minimum: Int64
    var maximum: Int64
    var messages: [FoundMessage] = []
}

/// Everything that was read back from a broker or a store at one time.
typealias Contents = [QueueName: QueueContents]
