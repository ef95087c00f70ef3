import Histogram
import NIOCore

/// What a run counts. Confined to the driver's event loop.
final class Meter {
    enum Phase {
        case warmingUp
        case measuring
        case stopping
    }

    private(set) var phase = Phase.warmingUp
    private(set) var messages = 0
    private(set) var firstRefusal: String?
    private var histogram = Histogram<UInt64>(
        highestTrackableValue: 60_000_000_000, numberOfSignificantValueDigits: .three)
    private var begun: UInt64 = 0
    private var ended: UInt64 = 0
    private var activeConnections: Int
    private let drained: EventLoopPromise<Void>

    init(connections: Int, drained: EventLoopPromise<Void>) {
        activeConnections = connections
        self.drained = drained
    }

    func beginMeasuring(at nanoseconds: UInt64) {
        phase = .measuring
        begun = nanoseconds
        ended = nanoseconds
        messages = 0
        histogram.reset()
    }

    func stop(at nanoseconds: UInt64) {
        if phase == .measuring { ended = nanoseconds }
        phase = .stopping
    }

    func count(messages count: Int, latency: UInt64, at nanoseconds: UInt64) {
        guard phase == .measuring else { return }
        messages += count
        ended = nanoseconds
        _ = histogram.record(latency)
    }

    func refuse(_ reason: String) {
        if firstRefusal == nil { firstRefusal = reason }
        phase = .stopping
    }

    /// A connection has nothing in flight any more and nothing left to send.
    func connectionDrained() {
        activeConnections -= 1
        if activeConnections == 0 { drained.succeed() }
    }

    func fail(_ error: any Error) {
        drained.fail(error)
    }

    func measurement() -> Measurement {
        Measurement(
            messages: messages,
            operations: Int(histogram.totalCount),
            nanoseconds: ended - begun,
            p50: histogram.valueAtPercentile(50),
            p99: histogram.valueAtPercentile(99),
            p999: histogram.valueAtPercentile(99.9)
        )
    }
}

/// The outcome of one run. Latencies in nanoseconds, one per operation.
struct Measurement: Sendable {
    var messages: Int
    var operations: Int
    var nanoseconds: UInt64
    var p50: UInt64
    var p99: UInt64
    var p999: UInt64

    var perSecond: Double {
        nanoseconds == 0 ? 0 : Double(messages) / (Double(nanoseconds) / 1e9)
    }
}
