import Testing

@testable import MQProtocol

@Suite("Waiting for a time of a clock that may be set meanwhile")
struct NapTests {
    private let start = Timestamp(milliseconds: 1_795_000_000_000)
    private var nap: Nap { Nap(until: start.advanced(by: .seconds(30)), from: start) }

    @Test("Short steps, and the rest at the end")
    func steps() {
        #expect(nap.step(now: start, elapsed: .zero) == .seconds(1))
        #expect(nap.step(now: start.advanced(by: .milliseconds(29_700)), elapsed: .seconds(29)) == .milliseconds(300))
        #expect(nap.step(now: start.advanced(by: .seconds(30)), elapsed: .seconds(30)) == nil)
    }

    @Test("A clock that is set back prolongs the wait by a second at most")
    func setBack() {
        let hourBack = start.advanced(by: .seconds(-3600))
        #expect(nap.step(now: hourBack, elapsed: .seconds(20)) == .seconds(1))
        #expect(nap.step(now: hourBack, elapsed: .seconds(31)) == nil)
    }

    @Test("A clock that is set forward ends it; one that is a little slow does not end it early")
    func otherSteps() {
        #expect(nap.step(now: start.advanced(by: .seconds(3600)), elapsed: .seconds(1)) == nil)
        #expect(nap.step(now: start.advanced(by: .milliseconds(29_990)), elapsed: .seconds(30)) == .milliseconds(10))
    }

    @Test("Deadlines at the end of the range")
    func extremes() {
        let ever = Nap(until: Timestamp(milliseconds: .max), from: Timestamp(milliseconds: .min))
        #expect(ever.step(now: start, elapsed: .zero) == .seconds(1))
        #expect(Nap(until: .zero, from: start).step(now: start, elapsed: .zero) == nil)
    }
}
