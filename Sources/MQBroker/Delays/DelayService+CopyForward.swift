package import MQProtocol
import MQStore
import Synchronization

extension QueueEntry {
    /// Where its record begins; an offset without any record for an entry that has none.
    var recordOffset: LogOffset { hasPlace ? logOffset : LogOffset(rawValue: -1) }
}

/// Waiting messages of segments that are to be deleted are stored again at the end of the log.
extension DelayService {
    /// Copies what still waits below `limit` to the end of the log, so that its segment can go.
    ///
    /// - Returns: below which offset nothing waits any more: `limit`, or less when the store refuses.
    package func copyForward(below limit: LogOffset) -> LogOffset {
        round.withLock { _ in min(copyLevels(below: limit), copyTimers(below: limit)) }
    }

    private func copyLevels(below limit: LogOffset) -> LogOffset {
        var reached = limit
        let now = time.now()
        for index in state.withLock({ $0.levels.indices }) {
            while true {
                let level = state.withLock { $0.levels[index] }
                guard let entries = readable(level, now: now) else {
                    // What waits there is not known.
                    reached = store.minimumLogOffset
                    break
                }
                let old = entries.prefix { $0.logOffset < limit }
                guard let first = old.first else { break }
                let waiting: [(LogOffset, Int64?)] = old.enumerated().map { index, entry in
                    let due = due(entry, at: level.next + index, in: level, now: now)
                    return (entry.recordOffset, due.isAhead ? dueFromNow(of: level, now: now) : due.at)
                }
                let count = storeAgain(waiting)
                state.withLock { state in
                    state.levels[index].next = level.next + count
                    state.isChanged = true
                }
                guard count < old.count else { continue }
                reached = min(reached, count == 0 ? first.logOffset : old[count].logOffset)
                break
            }
        }
        return reached
    }

    private func copyTimers(below limit: LogOffset) -> LogOffset {
        let timers = state.withLock { $0.wheel.takeAll(below: limit) }
        let count = storeAgain(timers.map { ($0.logOffset, nil) })
        let reached = count < timers.count ? timers[count].logOffset : limit
        state.withLock { state in
            for timer in timers[count...] { state.wheel.arm(timer) }
            state.watermark.copiedBelow = max(state.watermark.copiedBelow, reached)
            state.isChanged = true
        }
        return reached
    }

    /// Stores waiting records in the timer topic, due when they were, in appends of bounded size.
    ///
    /// - Parameter waiting: nil for a record that says itself when it is due, which its entry may say wrongly.
    /// - Returns: how many of them, from the first on, are done with.
    private func storeAgain(_ waiting: [(offset: LogOffset, due: Int64?)]) -> Int {
        var done = 0
        while done < waiting.count {
            var batch = store.makeBatch()
            var count = 0
            for (offset, due) in waiting[done...] {
                if batch.byteCount >= Self.batchBytes { break }
                count += 1
                guard let record = store.record(at: offset).flatMap(StoredRecord.init) else { continue }
                stageAgain(record, due: due, into: &batch)
            }
            guard batch.isEmpty || (try? store.append(&batch, makesRoom: true)) != nil else { return done }
            // The originals are done with: that may be written when the copies are durable.
            let end = batch.end
            state.withLock { $0.delivered = max($0.delivered, end) }
            done += count
        }
        return done
    }

    func stageAgain(_ record: StoredRecord, due: Int64?, into batch: inout AppendBatch) {
        var draft = record.draft(topic: SystemTopic.timerWheel, queueID: 0)
        if let due, record.integerProperty(PropertyName.timerOutMilliseconds) != due {
            draft.properties.appendProperty(PropertyName.timerOutMilliseconds, String(due))
        }
        do {
            _ = try batch.add(draft, to: timerQueue, isStoredAgain: true)
        } catch {
            setAside(record, because: "\(error)", in: &batch)
        }
    }
}
