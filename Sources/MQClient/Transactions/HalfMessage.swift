/// Where a half message lies: what its verdict needs. Its members can be kept in a database, and a later process that
/// makes it of them again can decide it.
public struct HalfMessage: Sendable, Hashable {
    public var topic: String
    /// Finds the broker again when its address has changed.
    public var brokerName: String
    public var brokerAddress: String
    /// Of the message when it is committed.
    public var queueID: Int32
    /// Where the half message begins in the broker's log.
    public var logOffset: Int64
    /// Of the half message among the broker's half messages.
    public var queueOffset: Int64
    /// The id given by the client, `UNIQ_KEY`.
    public var messageID: String
    public var transactionID: String
    /// All of them mean that the half message is stored.
    public var status: SendReceipt.Status
    /// The broker announced that its verdicts are final: repeating one is harmless, the opposite one is refused. A
    /// stock broker delivers a repeated commit twice.
    public var keepsVerdictsFinal: Bool

    public init(
        topic: String, brokerName: String, brokerAddress: String, queueID: Int32, logOffset: Int64, queueOffset: Int64,
        messageID: String, transactionID: String, status: SendReceipt.Status, keepsVerdictsFinal: Bool
    ) {
        self.topic = topic
        self.brokerName = brokerName
        self.brokerAddress = brokerAddress
        self.queueID = queueID
        self.logOffset = logOffset
        self.queueOffset = queueOffset
        self.messageID = messageID
        self.transactionID = transactionID
        self.status = status
        self.keepsVerdictsFinal = keepsVerdictsFinal
    }
}

/// A broker's question about a half message whose verdict it did not get.
public struct CheckBack: Sendable {
    /// The half message, with its real topic, queue and properties.
    public var message: ReceivedMessage
    /// Where it lies.
    public var half: HalfMessage
    /// Who asks.
    public var brokerAddress: String
    /// The id given by the client that sent the half message.
    public var messageID: String
}
