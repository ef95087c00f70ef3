import MQProtocol
import Testing

@testable import MQStore

@Suite struct ZeroFillTests {
    /// Taking notice of the failure needs the lock that an appender holds while it waits at the gate.
    @Test func `While the zeros of a full file fail to be flushed, messages go to the next one`() throws {
        let fixture = LogFixture()
        let device = HookedDevice(fixture.device)
        let log = try CommitLog.open(
            fixture.configuration, device: device, time: .manual(fixture.clock), logger: LogFixture.silent)
        try log.recover(.normal) { _, _, _ in .accept }
        try LogFixture.append("first" + String(repeating: "f", count: 9000), to: log)

        let appended = Wakeup()
        let sender = StoreThread(name: "sender") {
            let item = try? LogFixture.append("second" + String(repeating: "s", count: 9000), to: log)
            if item != nil { appended.signal() }
        }
        // The zeros go on in the second file, and the message goes there too.
        device.onFlush(of: "/store/commitlog/00000000000000000000") {
            guard (try? sender.start()) != nil, appended.wait(timeout: .seconds(10)) else { return nil }
            return StoreError(.inputOutput, "the flush of zeros fails")
        }
        let error = #expect(throws: StoreError.self) { try log.zeroFillAhead() }
        sender.join()
        #expect(error?.message == "the flush of zeros fails")
        #expect(log.appendedOffset.rawValue > 16_384)
        #expect(log.refusal?.code == .inputOutput)

        #expect(try log.flush() == log.appendedOffset)
        try LogFixture.append("third", to: log)
        try log.zeroFillAhead()
        try log.flush()
        fixture.device.crash()
        let bodies = try fixture.open(.abnormal(notAfter: .zero)).found.bodies
        #expect(bodies.map { $0.prefix(5) } == ["first", "secon", "third"])
    }
}
