public import MQProtocol
public import NIOCore

/// A message to be sent.
///
/// ```swift
/// var message = Message(topic: "OrderPaid", body: "{\"order\":17}")
/// message.tag = "web"
/// message.keys = ["order-17"]
/// message.delay = .after(.seconds(90))
/// ```
public struct Message: Sendable, Equatable {
    /// When a message becomes visible to consumers.
    public enum Delay: Sendable, Hashable {
        /// At once.
        case none
        /// One of RocketMQ's 18 levels: 1 is 1 s, 18 is 2 h, unless the broker is configured otherwise.
        case level(Int)
        /// So long after the broker stored it, to the millisecond. Refused when the broker is a stock one.
        case after(Duration)
        /// At this time by the broker's clock. Refused when the broker is a stock one.
        case at(Timestamp)
    }

    /// At most 127 characters of `%|a-zA-Z0-9_-`.
    public var topic: String
    /// Not empty.
    public var body: ByteBuffer
    /// Consumers may subscribe to some tags only.
    public var tag: String?
    /// Keys to find the message by; without blanks.
    public var keys: [String] = []
    /// Further properties. Names and values are not empty and contain neither U+0001 nor U+0002.
    public var properties: [String: String] = [:]
    public var delay = Delay.none
    /// A number that travels with the message and means something to the application only.
    public var flag: Int32 = 0

    public init(topic: String, body: ByteBuffer) {
        self.topic = topic
        self.body = body
    }

    /// A message whose body is the UTF-8 form of `body`.
    public init(topic: String, body: String) {
        self.init(topic: topic, body: ByteBuffer(string: body))
    }
}
