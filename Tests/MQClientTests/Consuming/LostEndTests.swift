import MQProtocol
import Testing

@testable import MQClient

/// A broker that has lost the end of a queue: what was stored since may lie before the group's offset.
@Suite(.timeLimit(.minutes(1))) struct LostEndTests {
    /// The group's offset is 100, the queue ends at 40, and the search finds 30.
    ///
    /// - Parameters:
    ///   - seen: when a message was stored that was received before the loss; nil for none.
    ///   - found: when the message at 30 was stored.
    /// - Returns: the times searched for, and where it went on.
    private func search(
        seen: Int64? = nil, found: Int64, horizon: Duration
    ) async throws -> (times: [Int64], begin: Int64?) {
        let lost = StubAnswer.pull(.pullOffsetMoved, next: 40, minimum: 10, maximum: 40)
        let before = try seen.map { [try StubAnswer.found([100], next: 101, stored: $0)] } ?? []
        let script = StubScript(
            // A look at what was seen before, each time.
            pulls: before + [lost] + before.map { _ in lost } + [lost] + before.map { _ in lost } + [
                try StubAnswer.found([30], next: 31, stored: found), try StubAnswer.found([35], next: 36),
            ],
            answers: [
                .queryConsumerOffset: [StubServer.Answer(fields: [("offset", "100")])],
                // The first search fails, and is made again.
                .searchOffsetByTimestamp: [
                    StubServer.Answer(code: .systemError), StubServer.Answer(fields: [("offset", "30")]),
                ],
            ])
        var times: [Int64] = []
        var begin: Int64?
        try await script.run({ $0.lostEndHorizon = horizon }, outcome: { _ in .consumed }) { server, deliveries, _ in
            await deliveries.wait(forCount: before.count + 1)
            let pulls = server.requests.filter {
                $0.requestCode == .pullMessage && $0.fields.string("topic") == "T"
            }
            // Two that are told of the loss, and the looks at what was seen and what was found.
            begin = pulls.dropFirst(before.count * 3 + 3).first?.fields.int64("queueOffset")
            times = server.requests.filter { $0.requestCode == .searchOffsetByTimestamp }
                .compactMap { $0.fields.int64("timestamp") }
        }
        return (times, begin)
    }

    /// A broker's clock may have been set back by a minute.
    @Test("A process that saw the end goes back to a minute before it")
    func seenLately() async throws {
        let result = try await search(seen: 1_000_000, found: 950_000, horizon: .seconds(10_000_000_000))
        #expect(result.times == [940_000, 940_000])
        #expect(result.begin == 30)
    }

    @Test(
        "What is older than the horizon is not read again, whether an end was seen or not", arguments: [nil, 1_000_000])
    func horizon(seen: Int64?) async throws {
        let before = TimeSource.system.now().milliseconds
        let result = try await search(seen: seen, found: before, horizon: .seconds(100))
        let after = TimeSource.system.now().milliseconds
        #expect(result.times.count == 2)
        for time in result.times { #expect((before - 100_000...after - 100_000).contains(time)) }
        #expect(result.begin == 30)
    }

    @Test("Brokers answer with the nearest message: one from before the horizon is passed over")
    func nearestIsEarlier() async throws {
        #expect(try await search(found: 5, horizon: .seconds(100)).begin == 31)
    }

    /// The message at 100 was stored at 1,000,000. After a new connection the looks at the queue find this.
    ///
    /// - Parameters:
    ///   - seenUpTo: where the pull behind it went on.
    ///   - found: what the search by time finds.
    private func deliveries(
        seenUpTo: Int64 = 101, found: Int64 = 30, afterReconnecting looks: [StubServer.Answer], next: StubServer.Answer
    ) async throws -> [String] {
        let script = StubScript(
            // The second pull waits for its answer when the connection goes.
            pulls: [try StubAnswer.found([100], next: seenUpTo, stored: 1_000_000), .never],
            answers: [
                .queryConsumerOffset: [StubServer.Answer(fields: [("offset", "100")])],
                .searchOffsetByTimestamp: [StubServer.Answer(fields: [("offset", "\(found)")])],
            ])
        let horizon = Duration.seconds(10_000_000_000)
        var texts: [String] = []
        try await script.run({ $0.lostEndHorizon = horizon }, outcome: { _ in .consumed }) { server, deliveries, _ in
            await server.request(.pullMessage, topic: "T", number: 2)
            for answer in looks + [next] { script.add(pull: answer) }
            server.disconnect()
            await deliveries.wait(forCount: 2)
            texts = deliveries.texts
        }
        return texts
    }

    /// The queue has grown past the offset again since, or soon will.
    @Test(
        "Another message in the place of the last one seen, or an end before it, means that the end was lost",
        arguments: [nil, 90])
    func lost(end: Int64?) async throws {
        let look =
            if let end { StubAnswer.pull(.pullOffsetMoved, next: end, minimum: 0, maximum: end) } else {
                try StubAnswer.found([100], next: 101, stored: 2_000_000)
            }
        // Told so, and looked at once more, in the search for the last one that is still there; then by time.
        let texts = try await deliveries(
            afterReconnecting: [look, look, try StubAnswer.found([30], next: 31, stored: 950_000)],
            next: try StubAnswer.found([30], next: 31))
        #expect(texts == ["100", "30"])
    }

    /// Its clock was ahead when the last message was stored: nothing is later by the time.
    @Test("Where times find nothing a group goes back to the first message it saw")
    func clockWasAhead() async throws {
        let other = try StubAnswer.found([100], next: 101, stored: 2_000_000)
        let texts = try await deliveries(
            found: 500,
            afterReconnecting: [other, other, StubAnswer.pull(.pullOffsetMoved, next: 500, minimum: 0, maximum: 500)],
            next: try StubAnswer.found([100], next: 101))
        #expect(texts == ["100", "100"])
    }

    @Test("With a new connection a group goes on where it was when the last message is still there")
    func kept() async throws {
        let texts = try await deliveries(
            afterReconnecting: [try StubAnswer.found([100], next: 101, stored: 1_000_000)],
            next: try StubAnswer.found([101], next: 102))
        #expect(texts == ["100", "101"])
    }

    /// Places whose messages had other tags may have got messages with the right ones.
    @Test("With a new connection what was filtered out behind the last message is looked at again")
    func filtered() async throws {
        let texts = try await deliveries(
            seenUpTo: 105, afterReconnecting: [try StubAnswer.found([100], next: 105, stored: 1_000_000)],
            next: try StubAnswer.found([102], next: 106))
        #expect(texts == ["100", "102"])
    }

    @Test("What is still there, and older than the horizon, is not where the group goes back to")
    func keptIsOld() async throws {
        let kept = try StubAnswer.found([100], next: 102, stored: 1_000_000)
        let end = StubAnswer.pull(.pullOffsetMoved, next: 101, minimum: 0, maximum: 101)
        let script = StubScript(
            pulls: [
                kept, try StubAnswer.found([102], next: 103, stored: 2_000_000), end, end, kept,
                try StubAnswer.found([101], next: 102, stored: 3_000_000),
                try StubAnswer.found([101], next: 102, stored: 3_000_000),
            ],
            answers: [
                .queryConsumerOffset: [StubServer.Answer(fields: [("offset", "100")])],
                .searchOffsetByTimestamp: [StubServer.Answer(fields: [("offset", "101")])],
            ])
        try await script.run({ $0.lostEndHorizon = .seconds(100) }, outcome: { _ in .consumed }) { server, all, _ in
            await all.wait(forCount: 2)
            await server.request(.searchOffsetByTimestamp)
            let times = server.requests.filter { $0.requestCode == .searchOffsetByTimestamp }
                .compactMap { $0.fields.int64("timestamp") }
            #expect(times.allSatisfy { $0 > 3_000_000 }, "not before the horizon")
        }
    }

    @Test("Without a horizon a group goes on behind the last message")
    func notWanted() async throws {
        let script = StubScript(
            pulls: [
                StubAnswer.pull(.pullOffsetMoved, next: 40, minimum: 10, maximum: 40),
                try StubAnswer.found([40], next: 41),
            ],
            answers: [.queryConsumerOffset: [StubServer.Answer(fields: [("offset", "100")])]])
        try await script.run(outcome: { _ in .consumed }) { server, deliveries, _ in
            await deliveries.wait(forCount: 1)
            #expect(deliveries.texts == ["40"])
            #expect(!server.requests.contains { $0.requestCode == .searchOffsetByTimestamp })
        }
    }
}
