import MQProtocol

/// Compares what was recorded with what is read back. Pure.
struct Checker {
    let history: History
    let contents: Contents
    let expectations: Expectations
    private var result = CheckResult()
    private var owners: [Place: Int64] = [:]
    /// Where queues may have nothing to read: a damaged message.
    private let holes: Set<Place>
    /// By topic, how many messages went with expired segments and are not accounted for. What the broker put into its
    /// queue later was never acknowledged at a place.
    private var expired: [String: Int64] = [:]

    static func check(_ history: History, _ contents: Contents, _ expectations: Expectations) -> CheckResult {
        var checker = Checker(history: history, contents: contents, expectations: expectations)
        for (name, queue) in contents.sorted(by: { $0.key < $1.key }) {
            checker.checkBegin(name, queue)
            checker.read(queue)
        }
        checker.compare()
        return checker.result
    }

    private init(history: History, contents: Contents, expectations: Expectations) {
        self.history = history
        self.contents = contents
        self.expectations = expectations
        holes = Set(history.entries.filter { $0.state == .damaged }.compactMap(\.place))
        for (name, queue) in contents {
            expired[name.topic, default: 0] += expectations.mayBegin(name, beginningAt: queue.minimum)
        }
        for place in history.entries.compactMap(\.place) where isExpired(place) {
            expired[place.queue.topic, default: 0] -= 1
        }
    }

    /// Whether a place was with what expired, when it could.
    private func isExpired(_ place: Place) -> Bool {
        guard let queue = contents[place.queue] else { return false }
        return place.offset < expectations.mayBegin(place.queue, beginningAt: queue.minimum)
    }

    private mutating func complain(_ invariant: Invariant, _ text: String) {
        result.violations.append(Violation(invariant, text))
    }

    // MARK: What is there

    private mutating func checkBegin(_ name: QueueName, _ queue: QueueContents) {
        let limit = expectations.mayBegin(name, beginningAt: queue.minimum)
        guard queue.minimum > limit else { return }
        complain(.lost, "\(name) begins at \(queue.minimum); nothing from \(limit) on was old enough to be deleted")
    }

    private mutating func read(_ queue: QueueContents) {
        var expected = queue.minimum
        var last: [Int: Int64] = [:]
        for message in queue.messages {
            while expected < message.place.offset, holes.contains(Place(queue: message.place.queue, offset: expected)) {
                expected += 1
            }
            if message.place.offset != expected {
                complain(.offsets, "\(message.place) is where offset \(expected) should be")
            }
            expected = message.place.offset + 1
            guard let number = identify(message) else { continue }
            let sender = history.entries[Int(number)].sender
            if let before = last[sender], before > number, isOrdered(number) {
                complain(.order, "\(message.place): message \(number) is behind \(before) of the same sender")
            }
            last[sender] = number
            note(number, at: message)
        }
        if let name = queue.messages.last?.place.queue {
            while expected < queue.maximum, holes.contains(Place(queue: name, offset: expected)) { expected += 1 }
        }
        if expected < queue.maximum, let place = queue.messages.last?.place {
            complain(.offsets, "\(place.queue) ends at \(expected), its maximum is \(queue.maximum)")
        }
    }

    /// Delayed and transactional messages are put into their queues later, by the broker.
    private func isOrdered(_ number: Int64) -> Bool {
        switch history.entries[Int(number)].kind {
        case .single, .batch, .ordered: true
        case .delayed, .transactional: false
        }
    }

    /// The message's number, when it is one of ours in every byte.
    private mutating func identify(_ message: FoundMessage) -> Int64? {
        guard let number = Payload.number(in: message.body), let entry = history.entry(number) else {
            complain(.altered, "\(message.place): this message was never sent")
            return nil
        }
        var differences: [String] = []
        if message.body != Payload.body(number) { differences.append("body") }
        if message.place.queue.topic != entry.topic { differences.append("topic") }
        if let queueID = entry.queueID, message.place.queue.queueID != queueID { differences.append("queue") }
        if message.keys != Payload.key(number) { differences.append("keys") }
        if message.tag != Payload.tag(number) { differences.append("tag") }
        if message.note != Payload.note(number) { differences.append("property") }
        if message.flag != Payload.flag(number) { differences.append("flag") }
        if !differences.isEmpty {
            complain(.altered, "\(message.place): message \(number): \(differences.joined(separator: ", "))")
        }
        return number
    }

    private mutating func note(_ number: Int64, at message: FoundMessage) {
        owners[message.place] = number
        let entry = history.entries[Int(number)]
        if let first = result.found[number], let before = result.storedAt[number] {
            repeated(number, entry, at: [first, message.place], stored: [before, message.storedAt])
        } else {
            result.found[number] = message.place
        }
        result.storedAt[number] = message.storedAt
        switch entry.kind {
        case .delayed(let delay)
        where message.storedAt < delay.due && !expectations.mayBeEarly(delay, storedAt: message.storedAt):
            complain(
                .delay, "\(message.place): message \(number) is due at \(delay.due), there since \(message.storedAt)")
        case .transactional where entry.verdict != .commit:
            complain(.transaction, "\(message.place): message \(number) is there; its verdict is \(entry.verdict)")
        default: break
        }
        if entry.state == .absent || entry.state == .lostInWindow {
            complain(.torn, "\(message.place): message \(number) was gone after an earlier fault and is back")
        }
    }

    private mutating func repeated(
        _ number: Int64, _ entry: History.Entry, at places: [Place], stored times: [Timestamp]
    ) {
        if case .delayed = entry.kind, let kind = expectations.repeated(deliveredAt: times[0], again: times[1]) {
            result.duplicatesInWindow[kind, default: 0] += 1
        } else {
            complain(
                .duplicate,
                "message \(number) is at \(places[0]) and \(places[1]), stored at \(times.map(\.milliseconds))")
        }
    }

    // MARK: What must be there

    private mutating func compare() {
        var claimed: [Place: Int64] = [:]
        for (index, entry) in history.entries.enumerated() {
            let number = Int64(index)
            guard mustBeThere(entry) else { continue }
            if let place = entry.place, entry.state != .lostInWindow {
                if let other = claimed.updateValue(number, forKey: place) {
                    complain(.offsets, "messages \(other) and \(number) were both acknowledged at \(place)")
                }
                if owners[place] == number { noteSurvival(number, entry) } else { missing(number, entry, at: place) }
            } else if result.found[number] == nil {
                missing(number, entry)
            }
        }
    }

    private mutating func noteSurvival(_ number: Int64, _ entry: History.Entry) {
        if case .acknowledged(let time) = entry.state, expectations.mayBeLost(acknowledgedAt: time) {
            result.survived.insert(number)
        }
    }

    private func mustBeThere(_ entry: History.Entry) -> Bool {
        switch entry.state {
        case .inFlight, .absent, .lostInWindow, .damaged: return false
        case .present: return true
        case .acknowledged: break
        }
        switch entry.kind {
        case .single, .batch, .ordered: return true
        case .delayed(let delay): return expectations.isSettled && !delay.isLong && !expectations.mayWaitOn(delay)
        // One that nobody has decided was to be asked about, and is rolled back then.
        case .transactional: return expectations.isSettled && entry.verdict != .rollback
        }
    }

    private mutating func missing(_ number: Int64, _ entry: History.Entry, at place: Place? = nil) {
        if let place, isExpired(place) {
            result.expired += 1
            return
        }
        if case .acknowledged(let time) = entry.state, expectations.mayBeLost(acknowledgedAt: time) {
            result.lostInWindow.insert(number)
            return
        }
        if place == nil, expired[entry.topic, default: 0] > 0 {
            result.expired += 1
            expired[entry.topic, default: 0] -= 1
            return
        }
        let instead = place.flatMap { owners[$0] }.map { "message \($0) is" } ?? "nothing is"
        switch (entry.kind, place) {
        case (_, let place?):
            complain(.lost, "message \(number) was acknowledged at \(place), but \(instead) there")
        case (.transactional, nil):
            let what = entry.verdict == .commit ? "was committed and is not there" : "was never asked about"
            complain(.transaction, "message \(number) \(what)")
        case (.delayed(let delay), nil):
            complain(.delay, "message \(number) was due at \(delay.due) and is not there")
        case (_, nil):
            complain(.lost, "message \(number) was acknowledged and is not there")
        }
    }
}
