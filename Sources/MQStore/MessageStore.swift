import Logging
package import MQProtocol
import NIOCore
import Synchronization

/// Commit log, consume queues and key index of one store directory.
///
/// `open` locks the directory, recovers and starts no thread; ``start()`` starts the threads that flush, dispatch,
/// write zeros ahead and keep house. Without them, ``flushNow()``, ``dispatchPending()`` and ``keepHouse()`` do the
/// same work step by step, which is how tests run it on a simulated device.
///
/// The log is the truth: queues and index are rebuilt from it when they are missing or damaged (see
/// `MessageStore+Opening.swift`). Every function may be called from any thread.
package final class MessageStore: Sendable {
    package let configuration: StoreConfiguration
    let device: any StorageDevice
    let time: TimeSource
    let logger: Logger
    let observer: StoreObserver
    /// Released by ``close()``.
    let lock: Mutex<StoreLock?>
    let log: CommitLog
    let table: QueueTable
    let index: KeyIndex?
    let dispatcher: Dispatcher
    let dispatchThread: DispatchThread
    let flusher: Flusher
    let zeroFiller: ZeroFiller
    let files: StoreFiles
    /// Records become readable when they are flushed: one that nobody waits for is flushed at once too.
    let flushesSynchronously: Bool
    /// Held while queues are deleted.
    let deletion = Mutex(())
    let house: Mutex<Housekeeping>
    let houseWakeup = Wakeup()
    let houseThread = Mutex<StoreThread?>(nil)
    let isStopping = Atomic<Bool>(false)
    let isFull = Atomic<Bool>(false)
    let isStarted = Atomic<Bool>(false)
    /// Bytes that a retention run had copied forward so far.
    let copiedBytes = Atomic<Int64>(0)

    init(
        _ parts: OpenedParts,
        configuration: StoreConfiguration,
        device: any StorageDevice,
        time: TimeSource,
        logger: Logger,
        observer: StoreObserver
    ) {
        self.configuration = configuration
        self.device = device
        self.time = time
        self.logger = logger
        self.observer = observer
        lock = Mutex(parts.lock)
        log = parts.log
        table = parts.table
        index = parts.index
        dispatcher = parts.dispatcher
        files = parts.files
        let dispatchThread = DispatchThread(parts.dispatcher)
        self.dispatchThread = dispatchThread
        flushesSynchronously = configuration.flush == .synchronous
        let isSynchronous = flushesSynchronously
        flusher = Flusher(
            log: parts.log,
            policy: configuration.flush,
            logger: logger,
            flushed: { offset in
                if isSynchronous { dispatchThread.wake() }
                observer.flushed(offset)
            },
            failed: observer.flushFailed
        )
        zeroFiller = ZeroFiller(log: parts.log, logger: logger)
        house = Mutex(
            Housekeeping(
                plan: RetentionPlan(settings: RetentionSettings(configuration)), now: time.now()))
    }

    /// Once, after `open`.
    package func start() throws(StoreError) {
        try zeroFiller.start()
        try flusher.start()
        try dispatchThread.start()
        try startHousekeeping()
        isStarted.store(true, ordering: .releasing)
    }

    // MARK: Queues

    /// Creates the queue when there is none; on disk it appears with its first message.
    package func queue(_ topic: String, _ queueID: Int32) -> QueueRef { table.queue(topic, queueID).ref }

    package func existingQueue(_ topic: String, _ queueID: Int32) -> QueueRef? { table.existing(topic, queueID)?.ref }

    /// By queue id.
    package func queues(ofTopic topic: String) -> [QueueRef] { table.queues(ofTopic: topic).map(\.ref) }

    package func allQueues() -> [QueueRef] { table.all.map(\.ref) }

    // MARK: Appending

    package func makeBatch() -> AppendBatch { log.makeBatch() }

    /// Gives every record its place and time and writes the batch: all of it or, when this throws, nothing.
    ///
    /// The records are safe from a killed process now, from a power loss when ``StoreObserver/flushed`` reports an
    /// offset at or above the batch's end.
    ///
    /// - Parameter makesRoom: whether this is a copy forward, which lets old segments go: it is not refused for a disk
    ///   above its limit, or that disk would stay there.
    /// - Throws: what ``refusal`` says, or the device's error.
    package func append(_ batch: inout AppendBatch, makesRoom: Bool = false) throws(StoreError) {
        if !makesRoom, let refusal = writeRefusal { throw refusal }
        try log.append(&batch)
        if makesRoom { copiedBytes.wrappingAdd(Int64(batch.byteCount), ordering: .relaxed) }
        guard isStarted.load(ordering: .relaxed) else { return }
        if flushesSynchronously { flusher.wake() } else { dispatchThread.wake() }
    }

    /// Flushes soon. With synchronous flush every append has asked for it; whoever still waits may ask again.
    package func wakeFlusher() { flusher.wake() }

    /// Makes everything appended before the call durable, on the calling thread. Does not call the observer.
    package func flushNow() throws(StoreError) { try log.flush() }

    /// Brings queues and index to the end of the log, on the calling thread. With synchronous flush the log is flushed
    /// first; where that fails, what was not flushed stays out of them.
    ///
    /// - Important: not from the observer, which is called with the dispatcher's lock held.
    package func dispatchPending() {
        if flushesSynchronously { _ = try? log.flush() }
        dispatcher.run(includingIndex: true)
    }

    /// The same up to an offset, and for a bounded number of rounds: senders may be faster.
    package func dispatch(upTo offset: LogOffset) {
        for _ in 0..<1000 where dispatcher.indexedOffset < offset {
            guard dispatcher.step() else { return }
        }
    }

    // MARK: Positions

    /// The end of the log.
    package var appendedOffset: LogOffset { log.appendedOffset }
    /// Everything below survives a power loss.
    package var flushedOffset: LogOffset { log.flushedOffset }
    /// Everything below is readable through its queue, or about to be.
    package var readableOffset: LogOffset { flushesSynchronously ? log.flushedOffset : log.appendedOffset }
    /// Everything below is readable through its queue.
    package var dispatchedOffset: LogOffset { dispatcher.dispatchedOffset }
    package var minimumLogOffset: LogOffset { log.minimumOffset }

    /// Why what is not flushed may never be; nil while flushing works.
    package var flushFailure: StoreError? { log.flushFailure }

    /// Why appends are refused at this moment; nil when nothing is known against them.
    package var refusal: StoreError? { writeRefusal ?? log.refusal }

    private var writeRefusal: StoreError? {
        // The cause is looked up for a refusal only. None any more: the disk has space again, the flag follows.
        if isFull.load(ordering: .relaxed), let cause = house.withLock({ $0.plan.fullDisk }) {
            return StoreError(
                .diskFull,
                "\(cause): free space there, or delete old messages (lower fileReservedTime, or request 329)"
            )
        }
        if let failure = dispatcher.queueFailure {
            return StoreError(failure.code, "consume queues cannot be written: \(failure.message)")
        }
        return nil
    }
}
