import Logging
import MQProtocol

/// Recovery, and records whose queue offset does not follow: see ``QueueLeaps``.
extension Dispatcher {
    /// - Returns: whether the record may be placed now.
    func mayPlace(_ entry: QueueEntry, at number: Int64, of queue: ConsumeQueue, _ state: inout State) -> Bool {
        while true {
            switch state.leaps.meet(entry, at: number, of: queue) {
            case .follows:
                return true
            case .waits:
                noteGap(queue, &state)
                return false
            case .confirmed(let leap):
                _ = place(leap.entry, at: leap.number, of: queue, &state)
            case .refuted(let leap):
                refuse(leap, &state)
            }
        }
    }

    /// What no later record speaks for or against: false only where one wrong bit explains it, and nothing else does.
    func settleLeaps(_ state: inout State) {
        let rest = state.leaps.takeRest()
        // A record that begins a queue in the middle may be the one that another queue misses.
        let mayBeMissing = state.hasMetDamage || rest.contains { $0.queue.end == 0 }
        for leap in rest {
            if mayBeMissing || !leap.isOneBitOff {
                _ = place(leap.entry, at: leap.number, of: leap.queue, &state)
            } else {
                let blank = QueueEntry(logOffset: leap.entry.logOffset, size: QueueEntry.blank.size, tagsCode: 0)
                refuse(leap, &state)
                _ = place(blank, at: leap.queue.end, of: leap.queue, &state)
            }
        }
    }

    /// Its true place stays empty: consumers that are past it would never see a new message there.
    private func refuse(_ leap: QueueLeaps.Leap, _ state: inout State) {
        state.hasMetDamage = true
        logger.error(
            """
            \(leap.queue.directory): the record at \(leap.entry.logOffset) of commitlog/ claims queue offset \
            \(leap.number), where \(leap.queue.end) follows: it is damaged, and skipped
            """
        )
    }
}
