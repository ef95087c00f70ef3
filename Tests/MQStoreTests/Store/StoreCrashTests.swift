import MQProtocol
import NIOCore
import TestSupport
import Testing

@testable import MQStore

@Suite struct StoreCrashTests {
    /// What the test knows of the store.
    private struct Model {
        /// Every body sent, by queue.
        var sent: [Int: [String]] = [:]
        /// How many of them were durable for certain.
        var durable: [Int: Int] = [:]
        var next = 0
    }

    private let queues = 5

    private func append(_ store: MessageStore, _ model: inout Model, _ random: inout SeededGenerator) throws {
        var batch = store.makeBatch()
        for _ in 0...random.next(below: 6) {
            let queue = random.next(below: queues)
            let body = "m\(model.next)" + String(repeating: "x", count: random.next(below: 200))
            let draft = StoreFixture.draft("Topic\(queue)", 0, body: body, properties: "KEYS\u{1}k\(model.next) all")
            try batch.add(draft, to: store.queue(draft.topic, 0))
            model.sent[queue, default: []].append(body)
            model.next += 1
        }
        try store.append(&batch)
    }

    private func contents(_ store: MessageStore, _ queue: Int) -> [String] {
        var bodies: [String] = []
        while true {
            let page = store.pull("Topic\(queue)", from: Int64(bodies.count))
            if page.isEmpty { return bodies }
            bodies += page
        }
    }

    /// After a crash: every durable message is there, in order, and nothing that was not sent.
    private func verify(_ store: MessageStore, _ model: inout Model, _ note: String) {
        store.dispatchPending()
        for queue in 0..<queues {
            let found = contents(store, queue)
            let sent = model.sent[queue] ?? []
            #expect(found.count >= model.durable[queue] ?? 0, "queue \(queue) \(note)")
            #expect(found == Array(sent.prefix(found.count)), "queue \(queue) \(note)")
            #expect(store.maximumOffset(of: store.queue("Topic\(queue)", 0)).rawValue == Int64(found.count), "\(note)")
            #expect(store.nextOffset(of: store.queue("Topic\(queue)", 0)).rawValue == Int64(found.count), "\(note)")
            for body in found.suffix(3) {
                let key = "k" + body.dropFirst().prefix { $0.isNumber }
                let hits = store.query(
                    topic: "Topic\(queue)", key: key, maximum: 9, begin: .zero, end: Timestamp(milliseconds: .max)
                )
                #expect(hits.records.count == 1, "\(key) of queue \(queue) \(note)")
            }
            model.sent[queue] = found
            model.durable[queue] = found.count
        }
    }

    @Test(arguments: 0..<12)
    func whatWasFlushedSurvivesPowerLoss(round: Int) throws {
        let seed = TestSeed.current &+ UInt64(round)
        var random = SeededGenerator(seed: seed)
        let fixture = StoreFixture(seed: seed, segmentBytes: 8192, queueSegmentEntries: 20)
        var model = Model()
        for life in 0..<4 {
            let store = try fixture.open()
            verify(store, &model, "seed \(seed) life \(life)")
            for _ in 0..<random.next(below: 60) {
                try append(store, &model, &random)
                fixture.clock.advance(by: .milliseconds(Int64(random.next(below: 3000))))
                switch random.next(below: 8) {
                case 0:
                    try store.flushNow()
                    model.durable = model.sent.mapValues(\.count)
                case 1, 2: store.dispatchPending()
                case 3: store.keepHouse()
                case 4 where random.next(below: 4) == 0: try store.saveCheckpoint()
                default: break
                }
            }
            switch random.next(below: 3) {
            case 0: fixture.device.crash()
            case 1:
                model.durable = model.sent.mapValues(\.count)
                fixture.device.kill()
            default:
                model.durable = model.sent.mapValues(\.count)
                try store.close()
            }
        }
        let last = try fixture.open()
        verify(last, &model, "seed \(seed) end")
        try last.close()
        let queues = try fixture.tree("/store/consumequeue")
        try fixture.removeTree("/store/consumequeue")
        let rebuilt = try fixture.open()
        try rebuilt.close()
        #expect(try fixture.tree("/store/consumequeue") == queues, "seed \(seed)")
    }

    @Test func checkpointOfOneMessageAndACleanStop() throws {
        let fixture = StoreFixture()
        let store = try fixture.open()
        fixture.clock.set(to: Timestamp(milliseconds: 0x1A1_FBEB_FB17))
        try store.put("Topic")
        try store.close()
        let bytes = try #require(try fixture.device.contents(of: "/store/checkpoint"))
        let expected = "000001a1fbebfb17000001a1fbebfb17" + String(repeating: "0", count: 2 * (4096 - 16))
        #expect(bytes.hexText == expected)
    }

    /// Damage in front of the checkpoint is not seen by a start, and does not end the log for it.
    @Test(arguments: [false, true])
    func aStartReadsOnlyWhatCameSinceTheCheckpoint(isClean: Bool) throws {
        let fixture = StoreFixture()
        let store = try fixture.open()
        var items: [AppendBatch.Item] = []
        for number in 0..<6 { items.append(try store.put("Topic", body: "m\(number)")) }
        store.dispatchPending()
        try store.saveCheckpoint()
        #expect(try store.files.loadPosition()?.last == items[5].logOffset)
        for number in 6..<9 { items.append(try store.put("Topic", body: "m\(number)")) }
        if isClean { try store.close() }
        fixture.device.kill()
        flipBody(of: items[2], in: fixture)
        let again = try fixture.open()
        #expect(fixture.complaints.all == [])
        #expect(again.appendedOffset == items[8].logOffset + Int(items[8].size))
        #expect(again.pull("Topic", from: 0) == [0, 1, 3, 4, 5, 6, 7, 8].map { "m\($0)" })
        #expect(fixture.complaints.all.contains { $0.contains("is damaged and skipped") })
        fixture.device.kill()

        // Without the record to begin at, all of the file is read.
        flipBody(of: items[isClean ? 8 : 5], in: fixture)
        let third = try fixture.open()
        #expect(fixture.complaints.all.contains { $0.contains("that were flushed are damaged") })
        #expect(third.appendedOffset == again.appendedOffset)
        #expect(third.pull("Topic", from: 6, count: 2) == ["m6", "m7"])
    }

    private func flipBody(of item: AppendBatch.Item, in fixture: StoreFixture) {
        fixture.device.flipBit(
            "/store/commitlog/00000000000000000000", byte: Int(item.logOffset.rawValue) + 88, bit: 0)
    }

    @Test func storeTimesDoNotGoBackOverAStartAtTheCheckpoint() throws {
        let fixture = StoreFixture()
        let store = try fixture.open()
        fixture.clock.advance(by: .seconds(60))
        try store.put("Topic", body: "m0")
        store.dispatchPending()
        try store.saveCheckpoint()
        let newest = store.storeTimestamp(of: store.queue("Topic", 0), at: .zero)
        fixture.device.kill()
        // As far as the store time may be ahead of the clock.
        fixture.clock.set(to: fixture.clock.now().advanced(by: .seconds(-9)))
        let again = try fixture.open()
        try again.put("Topic", body: "m1")
        again.dispatchPending()
        #expect(again.storeTimestamp(of: again.queue("Topic", 0), at: QueueOffset(rawValue: 1)) == newest)
    }

    @Test func aCheckpointIsWrittenWhenMuchWasAppended() throws {
        var fixture = StoreFixture()
        fixture.configuration.checkpointBytes = 2000
        let store = try fixture.open()
        func recorded() throws -> LogOffset? { try store.files.loadPosition()?.queues }
        for _ in 0..<5 { try store.put("Topic", body: String(repeating: "x", count: 100)) }
        store.dispatchPending()
        store.keepHouse()
        #expect(try recorded() == .zero)
        for _ in 0..<10 { try store.put("Topic", body: String(repeating: "x", count: 100)) }
        store.dispatchPending()
        store.keepHouse()
        let end = store.appendedOffset
        #expect(try recorded() == end)
        try store.put("Topic")
        store.dispatchPending()
        store.keepHouse()
        #expect(try recorded() == end)
    }

    /// The entry is the only trace of it.
    @Test func thePlaceOfALostLastMessageStaysThroughTwoCrashes() throws {
        let fixture = StoreFixture()
        var store: MessageStore? = try fixture.open()
        for number in 0..<3 { try store?.put("Topic", 0, body: "m\(number)") }
        store?.dispatchPending()
        try store?.saveCheckpoint()
        let last = try #require(try store?.put("Topic", 0, body: "m3"))
        store?.dispatchPending()
        store?.keepHouse()
        try store?.flushNow()
        store = nil
        let magicCode = Int(last.logOffset.rawValue) + 5
        fixture.device.flipBit("/store/commitlog/00000000000000000000", byte: magicCode, bit: 3)
        fixture.device.kill()
        for _ in 0..<3 {
            let again = try fixture.open()
            #expect(again.nextOffset(of: again.queue("Topic", 0)).rawValue == 4)
            fixture.device.crash()
        }
    }

    /// Zeros look like the end of the log.
    @Test(arguments: [false, true], [false, true])
    func aFlushedTailThatIsGoneIsToldOf(isClean: Bool, isWholeLog: Bool) throws {
        let fixture = StoreFixture()
        let store = try fixture.open()
        try store.put("Topic", body: "m0")
        let last = try store.put("Topic", body: "m1")
        if isClean { try store.close() } else { try store.flushNow() }
        fixture.device.kill()
        let path = "/store/commitlog/00000000000000000000"
        let (start, size) = (Int(last.logOffset.rawValue), Int(last.size))
        if isWholeLog {
            try fixture.device.remove(path)
        } else {
            let file = try fixture.device.open(path, .readWrite)
            try file.zeroFill(start..<start + size)
            try file.flush()
        }
        let again = try fixture.open()
        #expect(again.appendedOffset == (isWholeLog ? .zero : last.logOffset))
        let lines = fixture.complaints.all.filter { $0.contains("bytes of that are gone") }
        #expect(lines.count == 1)
        let place = isWholeLog ? 0 : start
        #expect(lines.first?.hasPrefix("\(path) at \(place): ") == true)
        #expect(lines.first?.contains("the last \(start + size - place) bytes") == true)
        // Said once: the end is recorded now.
        try again.close()
        _ = try fixture.open()
        #expect(fixture.complaints.all.filter { $0.contains("bytes of that are gone") }.count == 1)
    }

    /// A disk that failed and works again is no reason to recover as after a crash.
    @Test func aStoreClosesAfterARepairThatFailed() throws {
        let fixture = StoreFixture()
        let store = try fixture.open()
        try store.put("Topic", body: "m0")
        fixture.device.fail(.write)
        #expect(throws: StoreError.self) { try store.put("Topic", body: "refused") }
        fixture.device.fail(.flush)
        #expect(throws: StoreError.self) { try store.put("Topic", body: "refused too") }
        try store.close()
        fixture.device.kill()
        let again = try fixture.open()
        #expect(again.contents("Topic") == ["m0"])
    }

    /// Readers must not pass over entries that the system dropped from memory.
    @Test(arguments: 0..<10)
    func entriesOfAFailedFlushAreWrittenAgain(seed: UInt64) throws {
        let fixture = StoreFixture(seed: seed, queueSegmentEntries: 200)
        let store = try fixture.openHalfDurable()
        // The memory of a queue in use is not the file's.
        store.keepHouse()
        store.keepHouse()
        fixture.device.setDropsPagesOnFailedFlush(true)
        fixture.device.fail(.flush)
        if seed % 2 == 0 { fixture.device.fail(.write) }
        #expect(throws: StoreError.self) { try store.saveCheckpoint() }
        if seed % 2 == 0 {
            #expect(store.minimumOffset(of: store.queue("Topic", 0)) == .zero)
            var next: Int64 = 0
            while next < 180, case let found = store.pull("Topic", from: next), !found.isEmpty {
                #expect(found.first == "m\(next)", "seed \(seed)")
                next += Int64(found.count)
            }
            store.keepHouse()
        }
        #expect(store.contents("Topic") == (0..<180).map { "m\($0)" }, "seed \(seed)")
    }
}
