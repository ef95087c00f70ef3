public import MQProtocol
public import NIOCore

/// A message as a broker delivers it.
public struct ReceivedMessage: Sendable {
    public var topic: String
    /// Decompressed; as it was stored when the message is ``unreadable``.
    public var body: ByteBuffer
    /// All properties, RocketMQ's own among them.
    public var properties: ReceivedProperties
    public var brokerName: String
    public var queueID: Int32
    public var queueOffset: Int64
    /// The offsets that the queue had when this message was pulled (`MIN_OFFSET` and `MAX_OFFSET` of RocketMQ's
    /// clients): behind this message there are `queueRange.upperBound - queueOffset - 1`. Nil when it was not pulled.
    public var queueRange: Range<Int64>?
    public var logOffset: Int64
    /// Bytes of the whole record in the broker's log.
    public var storedBytes: Int32
    public var flag: Int32
    public var systemFlag: Int32
    public var bornTimestamp: Timestamp
    public var storeTimestamp: Timestamp
    /// How often consumers gave it back before.
    public var reconsumeTimes: Int32
    /// Of a committed transactional message: where its half message is in the log.
    public var preparedTransactionOffset: Int64
    var bornAddress: HostAddress
    var storeAddress: HostAddress
    /// Why the body cannot be read: it is damaged, too large, or compressed in a way that is not built in. Nil as a
    /// rule.
    public var unreadable: String?

    /// `ip:port` of the producer.
    public var bornHost: String { bornAddress.description }

    /// `ip:port` of the broker.
    public var storeHost: String { storeAddress.description }

    /// The id given by the broker: address and log offset.
    public var offsetMessageID: String {
        OffsetMessageID(host: storeAddress, offset: LogOffset(rawValue: logOffset)).hex
    }

    /// The id given by the producer, or, from producers that give none, ``offsetMessageID``.
    public var messageID: String {
        properties["UNIQ_KEY"] ?? offsetMessageID
    }

    public var tag: String? {
        properties["TAGS"]
    }

    public var keys: [String] {
        (properties["KEYS"] ?? "").split(separator: " ").map(String.init)
    }

    /// The body read as UTF-8; what is not UTF-8 is replaced.
    public var text: String {
        String(buffer: body)
    }
}
