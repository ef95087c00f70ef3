import Synchronization

/// The id a producer gives to a message (property `UNIQ_KEY`): 32 hex digits, 56 with IPv6.
package struct UniqueID: Hashable, Sendable {
    package var ip: HostAddress.IP
    /// The low 16 bits of the producer's process id.
    package var processID: UInt16
    /// Any number that tells two generators of one process apart.
    package var discriminator: UInt32
    /// Milliseconds since the month began in the producer's time zone.
    package var monthMilliseconds: UInt32
    package var counter: UInt16

    package init(
        ip: HostAddress.IP, processID: UInt16, discriminator: UInt32, monthMilliseconds: UInt32, counter: UInt16
    ) {
        self.ip = ip
        self.processID = processID
        self.discriminator = discriminator
        self.monthMilliseconds = monthMilliseconds
        self.counter = counter
    }

    /// Nil unless `text` is 32 or 56 hex digits.
    package init?(_ text: String) {
        let length = text.utf8.count
        guard length == 32 || length == 56 else { return nil }
        var reader = Hex.Reader(text)
        guard let ip = reader.nextIP(isV6: length == 56), let processID = reader.next(UInt16.self),
            let discriminator = reader.next(UInt32.self), let milliseconds = reader.next(UInt32.self),
            let counter = reader.next(UInt16.self)
        else { return nil }
        self.init(
            ip: ip, processID: processID, discriminator: discriminator, monthMilliseconds: milliseconds,
            counter: counter)
    }

    /// The text of the id, upper case.
    package var hex: String {
        var text: [UInt8] = []
        text.reserveCapacity(56)
        Hex.append(ip, to: &text)
        Hex.append(processID, to: &text)
        Hex.append(discriminator, to: &text)
        Hex.append(monthMilliseconds, to: &text)
        Hex.append(counter, to: &text)
        return String(decoding: text, as: UTF8.self)
    }

    /// When the id was made, if that was less than a month before `now`. Only as right as the producer's time zone is
    /// ours: the id does not carry it.
    package func timestamp(
        now: Timestamp, month: (Timestamp) -> Range<Timestamp> = PlatformClock.localMonth
    ) -> Timestamp {
        let current = month(now).lowerBound
        let offset = Duration.milliseconds(Int64(monthMilliseconds))
        let candidate = current.advanced(by: offset)
        guard candidate >= now else { return candidate }
        return month(current.advanced(by: .milliseconds(-1))).lowerBound.advanced(by: offset)
    }
}

extension UniqueID: CustomStringConvertible {
    package var description: String { hex }
}

/// Makes the unique ids of one producer process. Thread safe.
package final class UniqueIDGenerator: Sendable {
    private struct State {
        var month: Range<Timestamp>
        var counter: UInt16 = 0
    }

    /// So far back the clock may be set without ids of the month before; they then carry the month's first millisecond.
    private static let toleratedStepBack: Int64 = 1_000_000

    private let ip: HostAddress.IP
    private let processID: UInt16
    private let discriminator: UInt32
    private let time: TimeSource
    private let monthContaining: @Sendable (Timestamp) -> Range<Timestamp>
    private let state: Mutex<State>

    /// - Parameters:
    ///   - ip: an address of this machine, so that two machines never make the same id.
    ///   - month: the month that contains a time, in the local time zone; stock clients decode with theirs.
    package init(
        ip: HostAddress.IP, processID: Int32, discriminator: UInt32 = .random(in: .min ... .max),
        time: TimeSource = .system,
        month: @escaping @Sendable (Timestamp) -> Range<Timestamp> = { PlatformClock.localMonth(containing: $0) }
    ) {
        self.ip = ip
        self.processID = UInt16(truncatingIfNeeded: processID)
        self.discriminator = discriminator
        self.time = time
        self.monthContaining = month
        self.state = Mutex(State(month: month(time.now())))
    }

    package func next() -> UniqueID {
        let now = time.now()
        let (milliseconds, counter) = state.withLock { state -> (Int64, UInt16) in
            if now >= state.month.upperBound { state.month = monthContaining(now) }
            var elapsed = now.milliseconds - state.month.lowerBound.milliseconds
            if elapsed < 0, elapsed > -Self.toleratedStepBack { elapsed = 0 }
            defer { state.counter &+= 1 }
            return (elapsed, state.counter)
        }
        return UniqueID(
            ip: ip, processID: processID, discriminator: discriminator,
            monthMilliseconds: UInt32(truncatingIfNeeded: milliseconds), counter: counter)
    }
}
