import Logging
package import MQProtocol
import MQStore
import NIOCore
package import NIOPosix
import Synchronization

extension DelayService {
    /// One message that is due.
    struct Due: Sendable {
        enum Source: Sendable {
            case level(Int, isAhead: Bool)
            case wheel(TimerWheel.Timer)
        }

        var source: Source
        var logOffset: LogOffset
    }

    /// Delivers until cancelled. Log reads and appends run on `threads`: they may wait for the disk.
    package func run(on threads: NIOThreadPool) async {
        while !Task.isCancelled {
            wakeAt.store(.min, ordering: .sequentiallyConsistent)
            guard let round = try? await threads.runIfActive({ self.fireRound() }) else { return }
            // Ordered against the queues read next, as the dispatcher's look at it is against those it wrote.
            wakeAt.store(round.next.milliseconds, ordering: .sequentiallyConsistent)
            await alarm.wait(until: wakeUp(after: round), by: time)
        }
    }

    /// An arrival between the round and the note of when the next one comes did not ring: this looks once more. Not
    /// when the store refused: what it refused is due all the time.
    func wakeUp(after round: Round) -> Timestamp {
        guard !round.isRefused, let pending = earliestDue() else { return round.next }
        return min(round.next, pending)
    }

    /// Writes the positions every second, or soon after the flush that they wait for, and once more at the end.
    ///
    /// In the first second more often: what was overdue at the start is delivered then, and a broker that dies again
    /// and again within a second would repeat the same deliveries each time.
    package func persistLoop(on threads: NIOThreadPool) async {
        var rounds = 0
        var isWaiting = false
        while !Task.isCancelled {
            let isSoon = isWaiting || rounds < Self.earlyRounds
            rounds += 1
            try? await time.sleep(for: isSoon ? .milliseconds(50) : .seconds(1))
            isWaiting = (try? await threads.runIfActive { self.persistIfDurable() }) ?? false
        }
    }

    /// Of 50 ms.
    private static let earlyRounds = 20

    package struct Round: Sendable {
        /// When the next one is due, at the latest in a minute.
        package var next: Timestamp
        /// The store took nothing: tried again after a pause.
        package var isRefused = false
    }

    /// Delivers what is due now, as often as more is found.
    @discardableResult
    package func fireRound() -> Round {
        while true {
            let now = time.now()
            let isDrained = round.withLock { _ in deliverDue(now: now) }
            // Once, for however much was put off: until then the service's other thread notes it every second.
            guard isDrained != false else { continue }
            if state.withLock({ $0.takeStagedAgain() }) { noteCopies() }
            guard isDrained != nil else { return Round(next: now.advanced(by: Self.retryPause), isRefused: true) }
            let idle = now.advanced(by: .seconds(60))
            return Round(next: min(idle, earliestDue() ?? idle))
        }
    }

    /// Whether everything due was delivered; nil when the store refuses.
    func deliverDue(now: Timestamp) -> Bool? {
        let taken = takeDue(now: now)
        guard deliver(taken.due, now: now) else { return nil }
        noteFired(taken)
        return taken.isReadable ? taken.isDrained : nil
    }

    private func noteFired(_ taken: Taken) {
        state.withLock { state in
            // Up to the next that waits, and no further than anything ever fired: a later mark would have to be taken
            // back when a timer before it is armed.
            let next = state.wheel.nextDue()?.advanced(by: .milliseconds(-1)) ?? state.watermark.latestDue
            let reached = max(taken.firedUpTo, min(state.watermark.latestDue, next))
            state.watermark.note(.init(dueUpTo: reached, queueEnd: taken.queueEnd))
            // The files may have been written since the deliveries were noted.
            if !taken.due.isEmpty { state.isChanged = true }
        }
    }

    /// When the next message of any kind is due.
    func earliestDue() -> Timestamp? {
        let (wheelDue, levels) = state.withLock { ($0.wheel.nextDue(), $0.levels) }
        let now = time.now()
        var earliest = wheelDue
        for level in levels where level.next < store.maximumOffset(of: level.queue) {
            var due = now.advanced(by: Self.retryPause)
            if let entries = try? store.entries(of: level.queue, from: level.next, count: 1) {
                guard let head = entries.first else { continue }
                due = Timestamp(milliseconds: self.due(head, at: level.next, in: level, now: now).at)
            }
            earliest = min(earliest ?? due, due)
        }
        return earliest
    }

    /// What one round takes.
    private struct Taken: Sendable {
        /// Each source in its own order.
        var due: [Due] = []
        /// False when a source had more than a round takes.
        var isDrained = true
        /// False when what a level has cannot be read now: it waits, the others do not.
        var isReadable = true
        /// No timer before this place of the timer queue is due up to here and not taken.
        var firedUpTo: Timestamp
        var queueEnd = QueueOffset.zero
    }

    private func takeDue(now: Timestamp) -> Taken {
        var taken = Taken(firedUpTo: now)
        let levels = state.withLock { $0.levels }
        for (index, level) in levels.enumerated() where level.next < store.maximumOffset(of: level.queue) {
            guard let entries = readable(level, now: now) else {
                taken.isReadable = false
                continue
            }
            if entries.isEmpty, advancePastGap(index, level) { taken.isDrained = false }
            var ready = 0
            for entry in entries {
                let due = self.due(entry, at: level.next + ready, in: level, now: now)
                guard due.at <= now.milliseconds else { break }
                let source = Due.Source.level(index, isAhead: due.isAhead)
                taken.due.append(Due(source: source, logOffset: entry.recordOffset))
                ready += 1
            }
            if ready == Self.roundLimit { taken.isDrained = false }
        }
        var timers: [TimerWheel.Timer] = []
        let (queueEnd, rest) = state.withLock { state in
            state.wheel.popDue(now: now, limit: Self.roundLimit, into: &timers)
            return (state.armedEnd, state.wheel.nextDue())
        }
        taken.queueEnd = queueEnd
        if let rest, rest <= now {
            taken.isDrained = false
            taken.firedUpTo = rest.advanced(by: .milliseconds(-1))
        }
        taken.due.append(contentsOf: timers.map { Due(source: .wheel($0), logOffset: $0.logOffset) })
        return taken
    }

    /// Stores the real messages of what is due; false when the store refuses: the rest is due again.
    private func deliver(_ due: [Due], now: Timestamp) -> Bool {
        var rest = due[...]
        while !rest.isEmpty {
            guard let count = deliverSome(rest, now: now) else {
                let timers = rest.map(\.source)
                state.withLock { state in
                    for case .wheel(let timer) in timers { state.wheel.arm(timer) }
                }
                return false
            }
            rest = rest.dropFirst(count)
        }
        return true
    }

    /// One append, of bounded size: messages may have megabytes.
    /// - Returns: how many are done with; nil when the store refuses.
    private func deliverSome(_ due: ArraySlice<Due>, now: Timestamp) -> Int? {
        var batch = store.makeBatch()
        var count = 0
        var stagedAgain = 0
        for item in due {
            if batch.byteCount >= Self.batchBytes { break }
            count += 1
            guard let record = store.record(at: item.logOffset).flatMap(StoredRecord.init) else {
                logger.warning(
                    "a delayed message is skipped: its record is gone",
                    metadata: ["offset": "\(item.logOffset.rawValue)"])
                continue
            }
            if stage(record, of: item, now: now, into: &batch) { stagedAgain += 1 }
        }
        do {
            if !batch.isEmpty { try store.append(&batch) }
        } catch {
            noteRefusal(error, now: now)
            return nil
        }
        advance(due.prefix(count), deliveredUpTo: batch.end)
        if stagedAgain > 0 { state.withLock { $0.hasStagedAgain = true } }
        let ahead = due.prefix(count).count { if case .level(_, isAhead: true) = $0.source { true } else { false } }
        if ahead > 0 {
            logger.notice(
                "delayed messages were stored while the clock was ahead: they wait for their level's delay from now on",
                metadata: ["count": "\(ahead)"])
        }
        return count
    }

    /// - Returns: whether it is not due after all, and waits on.
    private func stage(_ record: StoredRecord, of item: Due, now: Timestamp, into batch: inout AppendBatch) -> Bool {
        if let due = laterDue(of: record, item, now: now) {
            stageAgain(record, due: due, into: &batch)
            return true
        }
        guard let draft = realMessage(of: record, item, now: now) else {
            setAside(record, because: "it has no real topic, or a closed one", in: &batch)
            return false
        }
        do {
            _ = try batch.add(draft, to: store.queue(draft.topic, draft.queueID), isStoredAgain: true)
        } catch {
            setAside(record, because: "\(error)", in: &batch)
        }
        return false
    }

    /// When a message is due after all; nil when it is now.
    ///
    /// An entry of the timer queue may be damaged. And a level's message that was stored while the clock was ahead
    /// waits for its level's delay from now on, as a timer: its level goes on.
    private func laterDue(of record: StoredRecord, _ item: Due, now: Timestamp) -> Int64? {
        switch item.source {
        case .wheel:
            guard let due = record.integerProperty(PropertyName.timerOutMilliseconds), due > now.milliseconds else {
                return nil
            }
            logger.warning(
                "a delayed message waits on: its queue says that it is due, its record that it is not",
                metadata: ["offset": "\(item.logOffset.rawValue)", "due": "\(due)"])
            return due
        case .level(let index, let isAhead):
            guard isAhead else { return nil }
            let level = state.withLock { $0.levels[index] }
            return dueFromNow(of: level, now: now)
        }
    }

    /// Puts a message that cannot be delivered where a person finds it with stock tools, as it waited.
    func setAside(_ record: StoredRecord, because reason: String, in batch: inout AppendBatch) {
        logger.error(
            "a delayed message cannot be delivered: it is kept in \(SystemTopic.undelivered)",
            metadata: ["offset": "\(record.view.physicalOffset.rawValue)", "reason": "\(reason)"])
        let topic = topics.ensure(SystemTopic.undelivered, queues: 1)
        do {
            _ = try batch.add(record.draft(topic: topic.name, queueID: 0), to: topic.queue(0), isStoredAgain: true)
        } catch {
            logger.critical("a delayed message is lost: it cannot be stored at all", metadata: ["error": "\(error)"])
        }
    }

    /// A full disk refuses ten times a second: it is said every ten seconds.
    func noteRefusal(_ error: StoreError, now: Timestamp) {
        let isTold = state.withLock { state in
            guard now >= state.nextRefusalNote else { return true }
            state.nextRefusalNote = now.advanced(by: .seconds(10))
            return false
        }
        if !isTold { logger.warning("delayed messages wait", metadata: ["error": "\(error)"]) }
    }

    private func advance(_ due: ArraySlice<Due>, deliveredUpTo end: LogOffset) {
        state.withLock { state in
            for case .level(let index, _) in due.map(\.source) {
                state.levels[index].next = state.levels[index].next + 1
            }
            state.delivered = max(state.delivered, end)
            state.isChanged = true
        }
    }

    /// Nil when the record does not say where it belongs.
    private func realMessage(of record: StoredRecord, _ item: Due, now: Timestamp) -> MessageDraft? {
        guard let place = record.realPlace, !Topic.isClosedToClients(place.topic) else { return nil }
        var draft = record.draft(topic: place.topic, queueID: place.queueID)
        if case .wheel = item.source, record.integerProperty(PropertyName.timerOutMilliseconds) != nil {
            var properties = MessageProperties(text: draft.properties)
            properties[PropertyName.realTopic] = nil
            properties[PropertyName.realQueueID] = nil
            properties[PropertyName.timerDequeueMilliseconds] = String(now.milliseconds)
            draft.properties = properties.encode()
        }
        return draft
    }

    // MARK: Files

    /// A crash must not bring messages twice that were stored again and wait: that they were is written down as soon
    /// as the copies are durable.
    func noteCopies() {
        // An older note may wait and be written first, and deliveries go on meanwhile.
        for _ in 0..<4 where state.withLock({ $0.isChanged || $0.unwritten.isWaiting }) {
            guard (try? store.flushNow()) != nil, writing.withLock({ _ in writeIfDurable() }) != nil else { return }
        }
    }

    /// Writes levels and watermark if they changed, as they are now or, when that is not durable yet, as they were when
    /// it was asked for last.
    ///
    /// - Returns: whether something waits for the flush of the log.
    @discardableResult
    package func persistIfDurable() -> Bool { writing.withLock { _ in writeIfDurable() } ?? false }

    /// - Returns: the same; nil when the files could not be written.
    private func writeIfDurable() -> Bool? {
        let flushed = store.flushedOffset
        let (positions, isWaiting): (Positions?, Bool) = state.withLock { state in
            guard state.isChanged || state.unwritten.isWaiting else { return (nil, false) }
            if !state.unwritten.isWaiting { state.isChanged = false }
            // Only what is written: a copy of the wheel would make every later arming copy it whole.
            let current = Positions(levels: Self.offsets(state.levels), watermark: state.watermark)
            let positions = state.unwritten.take(current, restingOn: state.delivered, flushed: flushed)
            return (positions, state.unwritten.isWaiting)
        }
        if isWaiting { store.wakeFlusher() }
        guard let positions else { return isWaiting }
        do {
            try files.save(levelOffsets: positions.levels)
            try files.save(watermark: positions.watermark)
        } catch {
            state.withLock { $0.isChanged = true }
            logger.warning("delay positions were not written", metadata: ["error": "\(error)"])
            return nil
        }
        return isWaiting
    }
}
