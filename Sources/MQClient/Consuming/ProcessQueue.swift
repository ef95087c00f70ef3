import DequeModule
import MQProtocol
import NIOCore

/// What a consumer holds of one queue: the messages pulled and not finished, and who may have them.
///
/// Pure: the time is an argument, and what must be done outside comes back as ``Effects``.
struct ProcessQueue {
    /// Why a queue is given up. Nothing of it is handed out any more.
    enum Ending: Sendable, Hashable {
        /// It belongs to another member now, or nothing was pulled for too long and it is taken anew.
        case released
        /// The consumer takes its leave: what handlers are at is still waited for.
        case drained
        /// The broker's lock is somebody else's, or may be.
        case lockLost
        /// The group goes on somewhere else.
        case reset(to: Int64)
    }

    /// Messages for one call of the handler.
    struct Batch: Sendable {
        var offsets: [Int64]
        var messages: [ReceivedMessage]
    }

    /// What becomes of one message of a batch.
    enum Verdict: Sendable, Hashable {
        case finished
        /// Offered again, not before `until` when there is one; in orderly mode all behind it wait as well.
        case again(until: Timestamp?, countsAttempt: Bool)
    }

    /// What the caller has to do after a change.
    struct Effects: Sendable, Hashable {
        /// Put the queue on the list of those that have something to hand out.
        var isReady = false
        /// Wake whoever pulls: what it waited for has happened.
        var wakesPull = false
        /// Call ``wake(now:)`` then.
        var wakeTime: Timestamp?
        /// No handler has a message of this queue any more.
        var isIdle = false
    }

    private enum Phase {
        case waiting
        case resting(until: Timestamp)
        case running(since: Timestamp)
        case finished
    }

    private struct Slot {
        var offset: Int64
        /// Nil once it is finished.
        var message: ReceivedMessage?
        var bytes: Int
        var phase: Phase
        /// Failed attempts here, on top of those that the message brought along.
        var attempts: Int32 = 0
    }

    /// Why the pulling side is asleep.
    private enum PullWait {
        case none, space, emptiness, resumption
    }

    let order: ConsumeOrder
    private var limits: FlowLimits
    private var slots = Deque<Slot>()
    /// No slot before this index waits.
    private var cursor = 0
    private var waitingCount = 0
    private var runningCount = 0
    private var isListed = false
    private var pullWait = PullWait.none
    private(set) var cachedCount = 0
    private(set) var cachedBytes = 0
    /// Where the next pull begins. Everything before it was seen here or was not asked for.
    private(set) var nextFetch: Int64
    private(set) var ending: Ending?
    private(set) var lastPull: Timestamp
    private(set) var lastConsumption: Timestamp?
    /// The latest store time of the messages that were pulled.
    private(set) var lastStored: Timestamp?
    /// The last messages of pulls.
    private(set) var sightings = Sightings()

    init(from offset: Int64, order: ConsumeOrder, limits: FlowLimits, now: Timestamp) {
        nextFetch = offset
        self.order = order
        self.limits = limits
        lastPull = now
    }

    /// The first offset that is not finished: where the group must go on if this consumer vanishes.
    var commitOffset: Int64 {
        if case .reset(let offset) = ending { return offset }
        return slots.first?.offset ?? nextFetch
    }

    var isReset: Bool { if case .reset = ending { true } else { false } }

    var isEmpty: Bool { slots.isEmpty }

    var isRunning: Bool { runningCount > 0 }

    /// Offsets of the first and the last unfinished message.
    var cachedOffsets: ClosedRange<Int64>? {
        guard let first = slots.first, let last = slots.last else { return nil }
        return first.offset...last.offset
    }

    private var excess: FlowLimits.Excess? {
        let span = cachedOffsets.map { $0.upperBound - $0.lowerBound } ?? 0
        return limits.excess(count: cachedCount, bytes: cachedBytes, span: span)
    }
}

// MARK: - Pulling

extension ProcessQueue {
    /// Whether the next pull may be sent. When not, ``Effects/wakesPull`` tells when to ask again; after a suspension
    /// the consumer does.
    mutating func mayPull(isSuspended: Bool = false, now: Timestamp) -> Bool {
        pullWait = isSuspended ? .resumption : excess == nil ? .none : .space
        guard pullWait == .none else { return false }
        lastPull = now
        return true
    }

    /// Sets how much may be held from now on. What is held already stays.
    mutating func limit(to limits: FlowLimits) -> Effects {
        self.limits = limits
        return effects()
    }

    /// Whether everything is finished. When not, ``Effects/wakesPull`` tells when it is.
    mutating func isFinishedWithAll() -> Bool {
        pullWait = isEmpty ? .none : .emptiness
        return pullWait == .none
    }

    /// Takes in what a pull brought.
    ///
    /// - Parameter next: where the next pull begins; a smaller one than the last is ignored.
    mutating func add(_ messages: [ReceivedMessage], next: Int64, now: Timestamp) -> Effects {
        lastPull = now
        guard ending == nil else { return Effects() }
        for message in messages where message.queueOffset >= nextFetch {
            let bytes = message.body.readableBytes
            slots.append(Slot(offset: message.queueOffset, message: message, bytes: bytes, phase: .waiting))
            nextFetch = message.queueOffset + 1
            lastStored = max(lastStored ?? message.storeTimestamp, message.storeTimestamp)
            waitingCount += 1
            cachedCount += 1
            cachedBytes += bytes
        }
        if let last = messages.last, last.queueOffset > sightings.last?.offset ?? -1 { sightings.note(last) }
        nextFetch = max(nextFetch, next)
        return effects()
    }

    /// Goes on at another offset, also an earlier one. Everything must be finished.
    mutating func correct(to offset: Int64) {
        guard isEmpty else { return }
        nextFetch = offset
        sightings.forget(from: offset)
    }

    /// What lay behind the last message seen was not for this group. Others may have taken its place: they are looked
    /// at once more.
    mutating func lookAgainBehindLastSeen() {
        if let last = sightings.last { nextFetch = min(nextFetch, last.offset + 1) }
    }

    /// Whether a pull that may be sent has led to nothing, neither answer nor error, for so long.
    func isStalled(now: Timestamp, limit: Duration) -> Bool {
        pullWait == .none && lastPull.duration(to: now) > limit
    }
}

// MARK: - Handing out

extension ProcessQueue {
    /// The next messages for the handler; nil when there are none. Called after the queue was on the list.
    mutating func take(atMost limit: Int, now: Timestamp) -> (batch: Batch?, effects: Effects) {
        isListed = false
        guard isTakeable else { return (nil, Effects()) }
        var batch = Batch(offsets: [], messages: [])
        var index = cursor
        while index < slots.count, batch.offsets.count < limit {
            if case .waiting = slots[index].phase, var message = slots[index].message {
                message.reconsumeTimes = message.reconsumeTimes.addingClamped(slots[index].attempts)
                batch.offsets.append(slots[index].offset)
                batch.messages.append(message)
                slots[index].phase = .running(since: now)
            } else if order == .orderly {
                break
            }
            index += 1
        }
        cursor = index
        waitingCount -= batch.offsets.count
        runningCount += batch.offsets.count
        lastConsumption = now
        return (batch.offsets.isEmpty ? nil : batch, effects())
    }

    /// Says what became of a batch. A message that was abandoned meanwhile is not touched; after the queue was given up
    /// all of it may be meaningless, see ``heedsResults``.
    ///
    /// - Parameter verdicts: one for each message of the batch.
    mutating func settle(_ batch: Batch, _ verdicts: [Verdict]) -> Effects {
        guard var index = firstIndex(of: batch.offsets.first) else { return effects(wasRunning: isRunning) }
        let wasRunning = isRunning
        var wakeTime: Timestamp?
        for (offset, verdict) in zip(batch.offsets, verdicts) {
            while index < slots.count, slots[index].offset < offset { index += 1 }
            guard index < slots.count, slots[index].offset == offset, case .running = slots[index].phase else {
                continue
            }
            runningCount -= 1
            switch verdict {
            case .finished where heedsResults:
                finish(index)
            case .finished:
                offerAgain(index, until: nil)
            case .again(let until, let countsAttempt):
                if countsAttempt { slots[index].attempts = slots[index].attempts.addingClamped(1) }
                offerAgain(index, until: until)
                if let until { wakeTime = min(wakeTime ?? until, until) }
            }
        }
        dropFinishedFront()
        var effects = effects(wasRunning: wasRunning)
        effects.wakeTime = wakeTime
        return effects
    }

    /// Lets go on what rested until now.
    mutating func wake(now: Timestamp) -> Effects {
        for index in slots.indices {
            if case .resting(let until) = slots[index].phase, until <= now {
                slots[index].phase = .waiting
                waitingCount += 1
                cursor = min(cursor, index)
            }
        }
        return effects()
    }

    /// The first unfinished message when a handler has had it since before `time`.
    func overdueHead(startedBefore time: Timestamp) -> ReceivedMessage? {
        guard let head = slots.first, case .running(let since) = head.phase, since < time else { return nil }
        return head.message
    }

    /// Counts the first message as finished whatever its handler will say; nothing happens when it is not first any
    /// more.
    mutating func abandonHead(offset: Int64) -> Effects {
        guard let head = slots.first, head.offset == offset, case .running = head.phase else { return Effects() }
        let wasRunning = isRunning
        runningCount -= 1
        finish(slots.startIndex)
        dropFinishedFront()
        return effects(wasRunning: wasRunning)
    }

    /// Gives the queue up. The first reason stays, unless the new one makes what handlers say meaningless.
    mutating func end(_ reason: Ending) {
        switch (ending, reason) {
        case (nil, _), (.released, _), (.drained, .lockLost), (.drained, .reset): ending = reason
        default: break
        }
    }

    /// Whether what handlers say still counts.
    var heedsResults: Bool {
        switch ending {
        case nil, .drained: true
        // In orderly mode the queue stays ours until its handler is done; else another member has it already.
        case .released: order == .orderly
        case .lockLost, .reset: false
        }
    }

    /// Whether the queue can be handed to somebody else.
    var isReleasable: Bool {
        guard let ending else { return false }
        return runningCount == 0 || order == .concurrent && ending != .drained
    }
}

// MARK: - Inside

extension ProcessQueue {
    private var isTakeable: Bool {
        guard ending == nil, waitingCount > 0 else { return false }
        guard order == .orderly else { return true }
        if runningCount > 0 { return false }
        if case .waiting = slots.first?.phase { return true }
        return false
    }

    private mutating func effects(wasRunning: Bool = false) -> Effects {
        var effects = Effects()
        if !isListed, isTakeable {
            isListed = true
            effects.isReady = true
        }
        switch pullWait {
        case .none, .resumption: break
        case .space: effects.wakesPull = excess == nil
        case .emptiness: effects.wakesPull = isEmpty
        }
        if effects.wakesPull { pullWait = .none }
        effects.isIdle = wasRunning && !isRunning
        return effects
    }

    private mutating func finish(_ index: Int) {
        cachedCount -= 1
        cachedBytes -= slots[index].bytes
        slots[index].phase = .finished
        slots[index].message = nil
    }

    private mutating func offerAgain(_ index: Int, until: Timestamp?) {
        guard let until else {
            slots[index].phase = .waiting
            waitingCount += 1
            cursor = min(cursor, index)
            return
        }
        slots[index].phase = .resting(until: until)
    }

    private mutating func dropFinishedFront() {
        var count = 0
        while count < slots.count, case .finished = slots[count].phase { count += 1 }
        slots.removeFirst(count)
        cursor = max(0, cursor - count)
    }

    private func firstIndex(of offset: Int64?) -> Int? {
        guard let offset else { return nil }
        var low = 0
        var high = slots.count
        while low < high {
            let middle = (low + high) / 2
            if slots[middle].offset < offset { low = middle + 1 } else { high = middle }
        }
        return low < slots.count ? low : nil
    }
}

extension Int32 {
    fileprivate func addingClamped(_ other: Int32) -> Int32 {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? .max : sum
    }
}
