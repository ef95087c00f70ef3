extension History {
    /// Takes over what a check found after the broker had started again: nothing is in flight any more, so what is
    /// there stays, and what is not there never comes.
    ///
    /// Delayed and transactional messages may still be on their way.
    mutating func settle(_ result: CheckResult) {
        for number in entries.indices {
            let entry = entries[number]
            let found = result.found[Int64(number)]
            switch (entry.kind, entry.state, found) {
            case (.single, .inFlight, let place?), (.batch, .inFlight, let place?), (.ordered, .inFlight, let place?):
                setState(Int64(number), .present, place: place)
            case (.single, .inFlight, nil), (.batch, .inFlight, nil), (.ordered, .inFlight, nil):
                setState(Int64(number), .absent)
            default: break
            }
        }
        for number in result.lostInWindow { setState(number, .lostInWindow) }
        for number in result.survived { setState(number, .present, place: result.found[number]) }
    }
}
