import MQProtocol

/// What a counter showed at one moment.
struct Sample: Sendable, Equatable {
    var time: Timestamp
    /// The counted amount, and how many calls counted it.
    var amount: Int
    var calls: Int
}

/// The change of a counter over a window, as request 315 reports it.
struct Rate: Sendable, Equatable {
    var sum = 0
    /// Per second.
    var perSecond = 0.0
    var perCall = 0.0
}

/// The samples of one counter: 7 of 10 s, 7 of 10 min, 25 of 1 h.
///
/// A window's rate is the difference of its newest and oldest sample.
struct SampleWindows: Sendable {
    static let interval = Duration.seconds(10)
    private static let minuteSamples = 7
    private static let hourSamples = 7
    private static let daySamples = 25
    private static let ticksPerHourSample = 60
    private static let ticksPerDaySample = 360

    private var minuteWindow: [Sample] = []
    private var hourWindow: [Sample] = []
    private var dayWindow: [Sample] = []
    private(set) var ticks = 0

    /// Takes one sample; called every ``interval``.
    mutating func add(_ sample: Sample) {
        Self.push(sample, to: &minuteWindow, limit: Self.minuteSamples)
        if ticks % Self.ticksPerHourSample == 0 { Self.push(sample, to: &hourWindow, limit: Self.hourSamples) }
        if ticks % Self.ticksPerDaySample == 0 { Self.push(sample, to: &dayWindow, limit: Self.daySamples) }
        ticks += 1
    }

    /// Nothing was counted for as long as the longest window is.
    var areIdle: Bool {
        guard dayWindow.count == Self.daySamples, let first = dayWindow.first else { return false }
        return first.calls == minuteWindow.last?.calls
    }

    var minute: Rate { Self.rate(minuteWindow) }
    var hour: Rate { Self.rate(hourWindow) }
    var day: Rate { Self.rate(dayWindow) }

    private static func push(_ sample: Sample, to window: inout [Sample], limit: Int) {
        window.append(sample)
        if window.count > limit { window.removeFirst() }
    }

    private static func rate(_ window: [Sample]) -> Rate {
        guard let first = window.first, let last = window.last else { return Rate() }
        let sum = last.amount - first.amount
        let milliseconds = first.time.duration(to: last.time).wholeMilliseconds
        let calls = last.calls - first.calls
        return Rate(
            sum: sum,
            perSecond: milliseconds > 0 ? Double(sum) * 1000 / Double(milliseconds) : 0,
            perCall: calls > 0 ? Double(sum) / Double(calls) : 0
        )
    }
}

/// A total and the windows sampled from it. One that counts nothing keeps no samples: there may be 100,000 of them.
struct SampledTotal: Sendable {
    var amount = 0
    var calls = 0
    var windows = SampleWindows()

    mutating func add(_ amount: Int, calls: Int = 1) {
        self.amount &+= amount
        self.calls &+= calls
    }

    mutating func sample(_ time: Timestamp) {
        guard calls > 0 else { return }
        if windows.ticks == 0 {
            // It showed nothing at the sample before.
            windows.add(Sample(time: time.advanced(by: .zero - SampleWindows.interval), amount: 0, calls: 0))
        }
        windows.add(Sample(time: time, amount: amount, calls: calls))
        if windows.areIdle { self = SampledTotal() }
    }
}
