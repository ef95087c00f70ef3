package import MQProtocol

/// How much one pull may bring. The first message is always served, whatever its size.
package struct PullLimits: Sendable, Hashable {
    /// Default: 32.
    package var hotMessages = 32
    /// Default: 256 KiB.
    package var hotBytes = 256 * 1024
    /// Messages per pull when the wanted records are far behind the end of the log. Default: 8.
    package var coldMessages = 8
    /// Default: 64 KiB.
    package var coldBytes = 64 * 1024

    package init() {}
}

/// The outcome of looking into a queue for messages to pull; the raw values are RocketMQ's remarks.
package enum SelectionStatus: String, Sendable {
    case found = "FOUND"
    case noMatchedMessage = "NO_MATCHED_MESSAGE"
    case messageWasRemoving = "MESSAGE_WAS_REMOVING"
    case offsetFoundNull = "OFFSET_FOUND_NULL"
    case offsetOverflowBadly = "OFFSET_OVERFLOW_BADLY"
    case offsetOverflowOne = "OFFSET_OVERFLOW_ONE"
    case offsetTooSmall = "OFFSET_TOO_SMALL"
    case noMatchedLogicQueue = "NO_MATCHED_LOGIC_QUEUE"
    case noMessageInQueue = "NO_MESSAGE_IN_QUEUE"
}

/// Records of one queue, chosen but not yet copied.
package struct Selection: Sendable {
    /// Bytes that lie together in one log segment, which stays readable as long as the selection lives.
    package struct Range: Sendable {
        let segment: LogSlice
        package let logOffset: LogOffset
        package internal(set) var bytes: Int
    }

    package var status: SelectionStatus
    package var nextBegin: QueueOffset
    package var minimum: QueueOffset
    package var maximum: QueueOffset
    /// Adjacent records are merged: a queue that is alone in its stretch of the log is one range.
    package var ranges: [Range] = []
    /// Messages in `ranges`.
    package var count = 0
    /// Sum of `ranges`; `MessageStore.copy` brings exactly this many bytes.
    package var totalBytes = 0
    /// The chosen records are so far behind the end of the log that reading them may touch the disk.
    package var isOnDisk = false
    /// Nothing was chosen because the first record wanted is that far behind: choose again on a thread that may wait.
    package var mustWait = false
    /// Store time of the first and the last message; 0 when there is none.
    package var firstStoreTimestamp = Timestamp(milliseconds: 0)
    package var lastStoreTimestamp = Timestamp(milliseconds: 0)
}
