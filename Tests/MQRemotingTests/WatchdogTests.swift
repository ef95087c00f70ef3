import NIOCore
import Testing

@testable import MQRemoting

@Suite struct WatchdogTests {
    private func at(_ seconds: Int64) -> NIODeadline { .uptimeNanoseconds(0) + .seconds(seconds) }

    private func watchdog() -> Watchdog {
        var limits = ConnectionLimits()
        limits.idleTimeout = .seconds(120)
        limits.frameTimeout = .seconds(30)
        limits.drainTimeout = .seconds(60)
        return Watchdog(limits: limits, now: at(0))
    }

    @Test func idleIsCountedFromTheLastActivity() {
        var watchdog = watchdog()
        #expect(watchdog.nextDeadline == at(120))
        watchdog.active(now: at(50))
        #expect(watchdog.verdict(now: at(169)) == nil)
        #expect(watchdog.verdict(now: at(170)) == .idle)
    }

    @Test func dripFedBytesDoNotProlongAFrame() {
        var watchdog = watchdog()
        watchdog.decoded(isPartial: true, isNew: true, now: at(10))
        for second in 11...39 as ClosedRange<Int64> {
            watchdog.active(now: at(second))
            watchdog.decoded(isPartial: true, isNew: false, now: at(second))
            #expect(watchdog.verdict(now: at(second)) == nil)
        }
        #expect(watchdog.nextDeadline == at(40))
        #expect(watchdog.verdict(now: at(40)) == .incompleteFrame)
    }

    @Test func eachFrameHasItsOwnTime() {
        var watchdog = watchdog()
        watchdog.decoded(isPartial: true, isNew: true, now: at(10))
        watchdog.decoded(isPartial: true, isNew: true, now: at(35))
        #expect(watchdog.verdict(now: at(64)) == nil)
        watchdog.decoded(isPartial: false, isNew: true, now: at(64))
        #expect(watchdog.verdict(now: at(100)) == nil)
    }

    @Test func outputMustDrainInTime() {
        var watchdog = watchdog()
        watchdog.outputChanged(isHigh: true, now: at(5))
        watchdog.outputChanged(isHigh: true, now: at(50))
        #expect(watchdog.verdict(now: at(64)) == nil)
        #expect(watchdog.verdict(now: at(65)) == .notDraining)
        watchdog.outputChanged(isHigh: false, now: at(64))
        #expect(watchdog.verdict(now: at(65)) == nil)
    }
}
