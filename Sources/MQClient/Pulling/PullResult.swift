/// What one pull brought.
public struct PullResult: Sendable {
    /// Named as in RocketMQ.
    public enum Status: String, Sendable {
        case found = "FOUND"
        /// The end of the queue.
        case noNewMessage = "NO_NEW_MSG"
        /// Messages were there, none with a tag asked for.
        case noMatchingMessage = "NO_MATCHED_MSG"
        /// The offset is outside the queue; go on at ``PullResult/nextOffset``.
        case offsetOutsideQueue = "OFFSET_ILLEGAL"
    }

    public var status: Status
    /// Where the next pull should begin.
    public var nextOffset: Int64
    /// Of the first message the queue still has.
    public var minimumOffset: Int64
    /// One more than that of the last message.
    public var maximumOffset: Int64
    public var messages: [ReceivedMessage]
}
