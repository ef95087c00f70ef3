import MQProtocol
import MQStore
import Synchronization

/// What waits in the queues of the delay levels, and when it is due.
extension DelayService {
    /// When an entry of a level is due.
    struct LevelDue: Sendable {
        /// In milliseconds.
        var at: Int64
        /// It was stored while the clock was ahead: it leaves its level now, and waits on as a timer.
        var isAhead = false
    }

    /// A stock broker with `enableConsumeQueueExt` has kept the time in another file, which is not needed: the record
    /// tells it. One that cannot be read is due, to be skipped.
    ///
    /// Nothing of a level is due later than its delay from now on: the queue's file is damaged, the level was longer
    /// when the message was stored, or the clock was ahead then. The record tells; where it says the same the message
    /// is taken out of its level, or it would keep back all that follow. A stock broker delivers it at once.
    func due(_ entry: QueueEntry, at offset: QueueOffset, in level: Level, now: Timestamp) -> LevelDue {
        let latest = now.advanced(by: delay(of: level)).advanced(by: CommitLog.maximumLead).milliseconds
        guard TagFilter.isExtensionAddress(entry.tagsCode) || entry.tagsCode > latest else {
            return LevelDue(at: entry.tagsCode)
        }
        guard let stored = store.storeTimestamp(of: level.queue, at: offset) else { return LevelDue(at: .min) }
        let due = delayLevels.deliveryTime(level: level.number, storedAt: stored).milliseconds
        return due <= latest ? LevelDue(at: due) : LevelDue(at: now.milliseconds, isAhead: true)
    }

    /// When a message is due that was stored while the clock was ahead.
    func dueFromNow(of level: Level, now: Timestamp) -> Int64 {
        delayLevels.deliveryTime(level: level.number, storedAt: now).milliseconds
    }

    private func delay(of level: Level) -> Duration {
        let isConfigured = level.number <= delayLevels.maximum
        return isConfigured ? .milliseconds(delayLevels.milliseconds[level.number - 1]) : DelayRequest.longest
    }

    /// The queue begins behind the level's place: its files were made anew, and what was in front has expired.
    func advancePastGap(_ index: Int, _ level: Level) -> Bool {
        let minimum = store.minimumOffset(of: level.queue)
        guard minimum > level.next else { return false }
        state.withLock { $0.levels[index].next = max($0.levels[index].next, minimum) }
        return true
    }

    /// What waits in a level, as much as a round takes; nil when it cannot be read.
    func readable(_ level: Level, now: Timestamp) -> [QueueEntry]? {
        do throws(StoreError) {
            return try store.entries(of: level.queue, from: level.next, count: Self.roundLimit)
        } catch {
            noteRefusal(error, now: now)
            return nil
        }
    }
}
