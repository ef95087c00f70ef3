/// Everything that is done to a broker or to its files. The raw value is the row of the table.
package enum FaultKind: String, Sendable, CaseIterable {
    // The process.
    case kill = "kill -9 under load"
    case crashLoop = "kill -9 within 50 ms of start, again and again"
    case pause = "SIGSTOP, SIGCONT"
    case stop = "SIGTERM under load"

    // The power.
    case power = "power loss at a random moment"
    case powerAtRoll = "power loss at a segment roll"
    case powerAtFlush = "power loss at a flush of the log"
    case powerAtAppend = "power loss at a write to the log"
    case powerAtCheckpoint = "power loss at a checkpoint"
    case powerAtQueue = "power loss at a consume queue's write"
    case powerAtIndex = "power loss at an index write"
    case powerAtTimer = "power loss at a timer write"
    case powerAtOffsets = "power loss at a write of consumer offsets"
    case powerInRecovery = "power loss in recovery"
    case powerInTruncation = "power loss while recovery cuts the tail"
    case powerInRetention = "power loss while old segments are deleted"

    // The disk.
    case diskFull = "disk full mid-append, and free again"
    case diskFullAtStart = "disk full at start"
    case writeErrorOnce = "EIO from one write"
    case writeErrorForGood = "EIO from every write"
    case flushErrorOnce = "EIO from one fdatasync"
    case flushErrorForGood = "EIO from every fdatasync"
    case flushErrorDropping = "EIO from one fdatasync, its pages dropped"
    case shortWrites = "short writes"
    case readError = "EIO from reads in recovery"
    case readOnly = "EROFS from every change, and back"

    // Files while the broker is down.
    case deletedQueues = "consume queues deleted"
    case deletedIndex = "index deleted"
    case deletedCheckpoint = "checkpoint deleted"
    case deletedPosition = "positions and list of queues deleted"
    case deletedConfiguration = "configuration files deleted, previous versions left"
    case damagedConfiguration = "configuration files damaged, previous versions left"
    case deletedDelays = "state of delays and transactions deleted, both versions"
    case flipTopics = "bit flip in the files of topics and groups"
    case flipOffsets = "bit flip in the file of consumer offsets"
    case flipTimer = "bit flip in the state of timers and transactions"
    case flipLog = "bit flip in a message's body, read by the broker"
    case emptiedQueueFile = "a consume-queue file emptied"
    case readOnlyFiles = "log files immutable"

    // The clock.
    case clockForward = "wall clock + 1 h"
    case clockBackward = "wall clock - 1 h"

    // Bytes of a closed or crashed store, opened in the laboratory's own process.
    case tornTail = "torn tail: zeros from a byte of the last three records on"
    case garbageTail = "torn tail: garbage from a byte of the last three records on"
    case staleTail = "stale records behind the end of the log"
    case zeroTail = "zero-filled segments behind the end of the log"
    case flipBody = "bit flip in a body"
    case flipHeader = "bit flip in a record's fixed fields"
    case flipLength = "bit flip in a record's lengths"
    case flipChecksum = "bit flip in a checksum"
    case flipProperties = "bit flip in topic or properties"
    case flipQueue = "bit flip in a consume queue"
    case flipIndex = "bit flip in the index"
    case flipPosition = "bit flip in checkpoint, flush mark, positions, list of queues"
    case missingSegment = "a log file in the middle is missing"
    case duplicatedSegment = "a log file is there twice"
    case missingQueueFile = "a consume-queue file is missing"

    /// What is done to copies of a store's files, without a broker process.
    var isOfFiles: Bool { Self.ofFiles.contains(self) }

    static let ofFiles: [FaultKind] = [
        .tornTail, .garbageTail, .staleTail, .zeroTail, .flipBody, .flipHeader, .flipLength, .flipChecksum,
        .flipProperties, .flipQueue, .flipIndex, .flipPosition, .missingSegment, .duplicatedSegment,
        .missingQueueFile,
    ]

    static let ofPower: [FaultKind] = [
        .power, .powerAtRoll, .powerAtFlush, .powerAtAppend, .powerAtCheckpoint, .powerAtQueue, .powerAtIndex,
        .powerAtTimer, .powerAtOffsets, .powerInRecovery, .powerInTruncation, .powerInRetention,
    ]

    /// Failing system calls, for as long as the rule for them stays.
    var isOfDisk: Bool {
        switch self {
        case .writeErrorOnce, .writeErrorForGood, .flushErrorOnce, .flushErrorForGood, .flushErrorDropping,
            .shortWrites, .readOnly:
            true
        default: false
        }
    }

    var losesPower: Bool { Self.ofPower.contains(self) }
}
