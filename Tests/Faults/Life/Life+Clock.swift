import MQProtocol

/// The broker's clock, and what comes of its jumps and of its ends.
extension Life {
    /// How long before a broker's death the deliveries were that it may repeat, in milliseconds: it writes down every
    /// second how far it is, and shares its processors with everything else.
    private static let repeatWindow: Int64 = 3000
    /// A broker whose clock was set back stores with times that lead it by at most this, in milliseconds.
    private static let maximumLead: Int64 = 10_000

    /// How long after its death what it had put off just before may come twice, in milliseconds: the next one starts,
    /// puts it off again, and waits for a level's delay.
    private static let putOffWindow: Int64 = 5000

    /// How long after its clock was set back a broker may store what it found due before.
    private static let decisionWindow = Duration.seconds(1)

    func shiftClock(by shift: Duration) throws {
        noteShift(shift)
        try world.control.shiftClock(by: shift)
        if world.preload != nil { journal.noteClock(shift) }
    }

    /// A clock that runs ahead expires what is younger than it seems.
    func noteShift(_ shift: Duration) {
        journal.noteClock(min(journal.clockShift, shift))
        if shift < clockShift { noteSetBack(to: shift) }
        clockShift = shift
        if shift != .zero { clockShifts.insert(shift) }
        if shift > .zero { expectations.beginExpiry(at: journal.now) }
    }

    private func noteSetBack(to shift: Duration) {
        let now = TimeSource.system.now()
        let time = now.advanced(by: shift)
        expectations.setBacks.append(time...time.advanced(by: Self.decisionWindow))
        expectations.levelRestarts.append(
            .init(at: now, due: time.advanced(by: Delay.level), wasAhead: clockShift > .zero))
    }

    /// The broker has ended. All but a clean stop may repeat the delayed messages it delivered last.
    func noteDeath(_ kind: FaultKind) {
        guard kind != .stop, kind != .flipLog else { return }
        let end = TimeSource.system.now()
        if clockShifts.isEmpty, !kind.leavesOldFiles { expectations.endRepeats(at: end) }
        if kind == .deletedDelays { journal.forgetAccepted() }
        let begin = repeatStart(kind, end)
        for shift in clockShifts.union([.zero]) {
            let lead = clockShifts.isEmpty ? 0 : Self.maximumLead + Self.putOffWindow
            let from = begin.advanced(by: shift).milliseconds - Self.repeatWindow
            let to = end.advanced(by: shift).milliseconds + lead
            let range = Timestamp(milliseconds: from)...Timestamp(milliseconds: to)
            // With a clock that jumps, later is not later. Without, until a broker has served without trouble.
            let restart = clockShifts.isEmpty ? begin : Timestamp(milliseconds: .min)
            expectations.repeatWindows.append(
                .init(kind: kind, delivered: range, again: restart...Timestamp(milliseconds: .max)))
        }
    }

    /// Since when what was delivered may not be written down.
    private func repeatStart(_ kind: FaultKind, _ end: Timestamp) -> Timestamp {
        // A broker without any positions begins anew.
        if kind == .deletedDelays { return .zero }
        // On a disk that refused writes nothing was written down in the whole session, and a previous version may be as
        // old.
        if kind.spoilsState { return sessionStart }
        return max(sessionStart, end.advanced(by: .milliseconds(lastWork - journal.now)))
    }
}

extension FaultKind {
    /// Whether the broker's small files may be older than it wrote them last, or wrong.
    var leavesOldFiles: Bool {
        switch self {
        case .flipOffsets, .flipTopics, .diskFull, .diskFullAtStart, .deletedConfiguration, .damagedConfiguration: true
        default: isOfDisk
        }
    }

    /// Whether what it knows of delays and transactions may be older, or gone.
    var spoilsState: Bool { leavesOldFiles || self == .flipTimer || self == .deletedDelays }
}
