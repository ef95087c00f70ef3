import MQClient
import MQProtocol

/// Delays that are longer than a life.
extension Life {
    /// After which nothing comes a second time.
    private static let quietLooks = 3

    /// Sets the broker's clock forward to their ends, and looks whether each message is there then, once.
    ///
    /// - Parameter before: what the broker has until then.
    func longDelayViolations(_ client: MQClient, behind before: Contents) async throws -> [Violation] {
        let check = LongDelayCheck(history: journal.history, expectations: expectations, before: before)
        guard world.preload != nil, !check.isEmpty else { return [] }
        try world.control.shiftClock(by: Delay.longShift)
        var violations = [Violation(.liveness, "nothing can be read since the clock was set forward")]
        var quietLooks = 0
        let deadline = ContinuousClock.now.advanced(by: .seconds(15))
        while quietLooks < Self.quietLooks, ContinuousClock.now < deadline {
            try await TimeSource.system.sleep(for: .milliseconds(200))
            // To a broker whose clock jumps, clients may look as if they were gone long since.
            guard let contents = try? await delayedContents(client) else { continue }
            violations = check.violations(contents)
            quietLooks = violations.isEmpty ? quietLooks + 1 : 0
        }
        return violations
    }

    private func delayedContents(_ client: MQClient) async throws -> Contents {
        var contents: Contents = [:]
        for queue in Topics.queues where queue.topic == Topics.delayed {
            contents[queue] = try await ReadBack(client: client).read(queue)
        }
        return contents
    }
}
