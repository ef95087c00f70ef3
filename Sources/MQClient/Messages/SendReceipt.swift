/// What the broker answered to a message it stored.
public struct SendReceipt: Sendable, Hashable {
    /// How safe the message is. All of them mean that it is stored.
    public enum Status: String, Sendable, Codable {
        /// As safe as the broker is configured to make it.
        case stored = "SEND_OK"
        /// The broker did not wait for its disk any longer.
        case flushTimedOut = "FLUSH_DISK_TIMEOUT"
        /// The broker did not wait for its slave any longer.
        case replicationTimedOut = "FLUSH_SLAVE_TIMEOUT"
        /// The broker must replicate and has no slave.
        case slaveUnavailable = "SLAVE_NOT_AVAILABLE"
    }

    public var status: Status
    /// The id given by the client; of a batch, the ids of its messages, separated by commas.
    public var messageID: String
    /// The id given by the broker: address and log offset. Of a batch, one per message, separated by commas.
    public var offsetMessageID: String
    public var queue: MessageQueue
    /// Of the first message of a batch.
    public var queueOffset: Int64
    /// Where the broker listens.
    public var brokerAddress: String
}
