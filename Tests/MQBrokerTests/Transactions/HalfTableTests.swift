import MQBroker
import MQProtocol
import Testing

/// Traces of the transaction table: what happens, line after line, and what it answers.
@Suite struct HalfTableTests {
    let schedule = CheckSchedule()
    let start = Timestamp(milliseconds: 1_000_000)

    func half(_ offset: Int64, _ key: String = "K1", group: String = "PG", queue: Int64 = 0) -> HalfMessage {
        HalfMessage(
            logOffset: LogOffset(rawValue: offset), queueOffset: QueueOffset(rawValue: queue), size: 200,
            group: group, uniqueKey: key, bornTimestamp: start
        )
    }

    func table(_ halves: HalfMessage...) -> HalfTable {
        var table = HalfTable()
        for half in halves { arrive(half, in: &table) }
        return table
    }

    func arrive(_ half: HalfMessage, in table: inout HalfTable, opFloor: Int64 = 0, now: Timestamp? = nil) {
        table.arrived(half, opFloor: QueueOffset(rawValue: opFloor), now: now ?? start, schedule: schedule)
    }

    func decide(_ table: inout HalfTable, _ verdict: Verdict, _ half: HalfMessage) -> HalfTable.Decision {
        table.decide(
            verdict, at: half.logOffset, queueOffset: half.queueOffset, group: half.group
        )
    }

    @Test func theFirstVerdictWinsAndIsFinal() {
        let first = half(0)
        var table = table(first)
        #expect(decide(&table, .commit, first) == .store(first))
        #expect(decide(&table, .commit, first) == .beingStored)
        #expect(decide(&table, .rollback, first) == .beingStored)
        #expect(table.refusedOpposites == 0)
        table.stored(first, verdict: .commit)
        #expect(decide(&table, .commit, first) == .repeated)
        #expect(decide(&table, .rollback, first) == .opposite(of: .commit))
        #expect(table.refusedOpposites == 1)
        #expect(table.undecidedCount == 0)
    }

    @Test func offsetZeroIsAnOrdinaryOffset() {
        let zero = half(0)
        var table = table(zero)
        #expect(decide(&table, .rollback, zero) == .store(zero))
    }

    @Test func aVerdictThatCouldNotBeStoredLeavesTheHalfUndecided() {
        let first = half(8)
        var table = table(first)
        #expect(decide(&table, .commit, first) == .store(first))
        #expect(decide(&table, .rollback, first) == .beingStored, "not told of a final verdict that fails")
        table.notStored(first)
        #expect(decide(&table, .rollback, first) == .store(first))
    }

    @Test func wrongGroupAndWrongQueueOffsetAreNamed() {
        let first = half(8, queue: 3)
        var table = table(first)
        #expect(
            table.decide(.commit, at: first.logOffset, queueOffset: first.queueOffset, group: "X")
                == .wrongGroup
        )
        let wrong = QueueOffset(rawValue: 4)
        #expect(
            table.decide(.commit, at: first.logOffset, queueOffset: wrong, group: "PG")
                == .wrongQueueOffset
        )
        let nowhere = LogOffset(rawValue: 99)
        #expect(
            table.decide(.commit, at: nowhere, queueOffset: first.queueOffset, group: "PG") == .unknown
        )
    }

    private func half(_ offset: Int64, sent seconds: Int64, queue: Int64) -> HalfMessage {
        var half = half(offset, queue: queue)
        half.sent = start.advanced(by: .seconds(seconds))
        return half
    }

    @Test func aHalfSentAfterTheDecidedOnesOfItsKeyIsAnotherTransaction() {
        let first = half(0, sent: 0, queue: 0)
        let retry = half(300, sent: 3, queue: 1)
        var table = table(first, retry)
        var decided = retry
        decided.sent = first.sent
        #expect(decide(&table, .rollback, retry) == .store(decided))
        table.stored(retry, verdict: .rollback)
        // Both were overtaken by the verdict; the second is as old as the last of the decided ones.
        for late in [half(600, sent: 1, queue: 2), half(900, sent: 3, queue: 3)] {
            arrive(late, in: &table)
            #expect(decide(&table, .commit, late) == .opposite(of: .rollback))
        }
        let again = half(1200, sent: 4, queue: 4)
        arrive(again, in: &table)
        #expect(table.undecidedCount == 1)
        let latest = half(1500, sent: 2, queue: 5)
        arrive(latest, in: &table)
        #expect(decide(&table, .commit, latest) == .opposite(of: .rollback))
        // What the producer repeats for the first one does not end the second.
        #expect(decide(&table, .rollback, retry) == .repeated)
        #expect(decide(&table, .commit, again) == .store(again))
        table.stored(again, verdict: .commit)
        #expect(decide(&table, .rollback, again) == .opposite(of: .commit))
        #expect(decide(&table, .commit, first) == .opposite(of: .rollback))
    }

    @Test func copiesOfOneHalfAreOneTransaction() {
        let first = half(0)
        let copy = half(500, queue: 7)
        var table = table(first, copy)
        #expect(table.undecidedCount == 1)
        // A late verdict names the first place; it ends the copy, which is where the record is read from.
        #expect(decide(&table, .commit, first) == .store(copy))
        table.stored(copy, verdict: .commit)
        #expect(decide(&table, .rollback, first) == .opposite(of: .commit))
        #expect(decide(&table, .rollback, copy) == .opposite(of: .commit))
    }

    @Test func aCopyThatComesAfterTheVerdictIsDecided() {
        let first = half(500, queue: 7)
        var table = table(first)
        #expect(decide(&table, .commit, first) == .store(first))
        table.stored(first, verdict: .commit)
        let late = half(300, queue: 6)
        arrive(late, in: &table)
        #expect(table.undecidedCount == 0)
        #expect(decide(&table, .commit, late) == .repeated)
        #expect(decide(&table, .rollback, late) == .opposite(of: .commit))
    }

    @Test func halvesWithoutUniqueKeyAreApart() {
        var table = table(half(0, ""), half(500, ""))
        #expect(table.undecidedCount == 2)
        #expect(decide(&table, .commit, half(500, "")) == .store(half(500, "")))
    }

    @Test func checksSlowDownAndEndAsUnresolvedButNeverDrop() {
        let first = half(0)
        var table = table(first)
        #expect(table.nextCheck == start.advanced(by: .seconds(6)))
        #expect(table.takeDue(now: start.advanced(by: .milliseconds(5_999)), limit: 10).isEmpty)
        var now = start.advanced(by: .seconds(6))
        var pauses: [Duration] = []
        for check in 1...schedule.maximumChecks {
            #expect(table.takeDue(now: now, limit: 10).map(\.half) == [first])
            let isLast = table.checked(first, at: now, schedule: schedule)
            #expect(isLast == (check == schedule.maximumChecks))
            guard let next = table.nextCheck else { continue }
            pauses.append(now.duration(to: next))
            now = next
        }
        #expect(pauses.prefix(5) == [.seconds(60), .seconds(120), .seconds(240), .seconds(480), .seconds(600)])
        #expect(table.unresolvedCount == 1)
        #expect(table.undecidedCount == 1)
        #expect(table.takeDue(now: now.advanced(by: .seconds(100_000)), limit: 10).isEmpty)
        #expect(decide(&table, .commit, first) == .store(first))
        table.stored(first, verdict: .commit)
        #expect(table.unresolvedCount == 0)
    }

    @Test func firstChecksComeInTheOrderOfTheirTimesNotOfArrival() {
        var slow = half(0, "slow")
        slow.immunity = .seconds(30)
        let (quick, decided, last) = (half(300, "quick"), half(600, "decided"), half(900, "last"))
        var table = table(slow, quick, decided, last)
        #expect(decide(&table, .commit, decided) == .store(decided))
        table.stored(decided, verdict: .commit)
        #expect(table.nextCheck == start.advanced(by: .seconds(6)))
        #expect(
            Set(table.takeDue(now: start.advanced(by: .seconds(6)), limit: 10).map(\.half.uniqueKey)) == [
                "quick", "last",
            ])
        #expect(table.nextCheck == start.advanced(by: .seconds(30)))
        #expect(table.takeDue(now: start.advanced(by: .seconds(30)), limit: 10).map(\.half) == [slow])
        #expect(table.nextCheck == nil)
    }

    @Test func aCheckNobodyCouldReceiveDoesNotCount() {
        let first = half(0)
        var table = table(first)
        var now = start.advanced(by: .seconds(6))
        for _ in 0..<100 {
            #expect(table.takeDue(now: now, limit: 10).count == 1)
            table.notChecked(first, at: now, schedule: schedule)
            now = now.advanced(by: schedule.absentProducerPause)
        }
        #expect(table.takeDue(now: now, limit: 10).first?.checks == 0)
    }

    @Test func ownImmunityDelaysTheFirstCheck() {
        var immune = half(0)
        immune.immunity = .seconds(90)
        let table = table(immune)
        #expect(table.nextCheck == start.advanced(by: .seconds(90)))
    }

    @Test("A clock that is set back by an hour puts no check off by more than its usual pause")
    func clockSetBack() {
        let (asked, absent) = (half(0, "asked"), half(300, "absent"))
        var table = table(asked, absent)
        let now = start.advanced(by: .seconds(6))
        #expect(table.takeDue(now: now, limit: 10).count == 2)
        _ = table.checked(asked, at: now, schedule: schedule)
        table.notChecked(absent, at: now, schedule: schedule)
        var (fresh, immune, decided) = (half(600, "fresh"), half(900, "immune"), half(1200, "decided"))
        immune.immunity = .seconds(90)
        fresh.bornTimestamp = now
        immune.bornTimestamp = now
        decided.bornTimestamp = now
        for half in [fresh, immune, decided] { arrive(half, in: &table, now: now) }
        #expect(decide(&table, .commit, decided) == .store(decided))
        table.stored(decided, verdict: .commit)
        let back = now.advanced(by: .seconds(-3600))
        #expect(table.takeDue(now: back, limit: 10).isEmpty)
        for (seconds, key) in [(5, "absent"), (6, "fresh"), (60, "asked"), (90, "immune")] {
            let due = back.advanced(by: .seconds(seconds))
            #expect(table.nextCheck == due)
            #expect(table.takeDue(now: due.advanced(by: .milliseconds(-1)), limit: 10).isEmpty)
            #expect(table.takeDue(now: due, limit: 10).map(\.half.uniqueKey) == [key])
        }
        #expect(table.nextCheck == nil)
    }

    @Test("What arrived while the clock was ahead is not put off, though no look at the table saw that")
    func clockAheadForAWhile() {
        var table = HalfTable()
        #expect(table.takeDue(now: start, limit: 10).isEmpty)
        var ahead = half(0)
        ahead.bornTimestamp = start.advanced(by: .seconds(3600))
        arrive(ahead, in: &table, now: ahead.bornTimestamp)
        let now = start.advanced(by: .seconds(10))
        #expect(table.takeDue(now: now, limit: 10).isEmpty)
        #expect(table.nextCheck == now.advanced(by: .seconds(6)))
    }

    @Test("Halves that were born in the future are asked about within their immunity")
    func bornInTheFuture() {
        var (plain, immune) = (half(0, "plain"), half(300, "immune"))
        immune.immunity = .seconds(90)
        plain.bornTimestamp = start.advanced(by: .seconds(3600))
        immune.bornTimestamp = plain.bornTimestamp
        var table = table(plain, immune)
        for (seconds, half) in [(6, plain), (90, immune)] {
            let due = start.advanced(by: .seconds(seconds))
            #expect(table.takeDue(now: due.advanced(by: .milliseconds(-1)), limit: 10).isEmpty)
            #expect(table.takeDue(now: due, limit: 10).map(\.half) == [half])
        }
    }

    @Test("A clock that goes forward moves no check, nor do times that come out of order by less than a second")
    func clockForward() {
        let asked = half(0, "asked")
        var late = half(300, "late")
        late.immunity = .seconds(7200)
        var table = table(asked, late)
        var now = start.advanced(by: .seconds(3600))
        #expect(table.takeDue(now: now, limit: 10).map(\.half) == [asked])
        table.notChecked(asked, at: now, schedule: schedule)
        #expect(table.nextCheck == now.advanced(by: .seconds(5)))
        #expect(table.takeDue(now: now.advanced(by: .milliseconds(-999)), limit: 10).isEmpty)
        #expect(table.nextCheck == now.advanced(by: .seconds(5)))
        now = now.advanced(by: .seconds(5))
        #expect(table.takeDue(now: now, limit: 10).map(\.half) == [asked])
        #expect(table.nextCheck == start.advanced(by: .seconds(7200)))
    }

    @Test func resumingStartsTheChecksOver() {
        let first = half(0)
        var table = table(first)
        let now = start.advanced(by: .seconds(6))
        _ = table.takeDue(now: now, limit: 1)
        var quick = schedule
        quick.maximumChecks = 1
        let isLast = table.checked(first, at: now, schedule: quick)
        #expect(isLast)
        let isResumed = table.resume(at: first.logOffset, now: now)
        #expect(isResumed)
        #expect(table.unresolvedCount == 0)
        #expect(table.takeDue(now: now, limit: 1).first?.checks == 0)
        let isUnknownResumed = table.resume(at: LogOffset(rawValue: 77), now: now)
        #expect(!isUnknownResumed)
    }

    @Test func progressStaysAtTheOldestUndecidedHalf() {
        var table = HalfTable()
        let ends = (QueueOffset(rawValue: 10), QueueOffset(rawValue: 5))
        #expect(table.progress(halfEnd: ends.0, opEnd: ends.1) == ends)
        arrive(half(0, "A", queue: 4), in: &table, opFloor: 2)
        arrive(half(300, "B", queue: 6), in: &table, opFloor: 3)
        #expect(table.progress(halfEnd: ends.0, opEnd: ends.1) == (QueueOffset(rawValue: 4), QueueOffset(rawValue: 2)))
        table.stored(half(0, "A", queue: 4), verdict: .rollback)
        #expect(table.progress(halfEnd: ends.0, opEnd: ends.1) == (QueueOffset(rawValue: 6), QueueOffset(rawValue: 3)))
    }

    @Test func onlyTheLatestDecidedAreRemembered() {
        var table = HalfTable()
        let count = HalfTable.decidedLimit + 1
        for offset in 0..<count { table.remember(LogOffset(rawValue: Int64(offset)), .commit) }
        let zero = QueueOffset(rawValue: 0)
        #expect(
            table.decide(.commit, at: LogOffset(rawValue: 0), queueOffset: zero, group: "") == .unknown
        )
        #expect(
            table.decide(
                .commit, at: LogOffset(rawValue: 1), queueOffset: zero, group: ""
            ) == .repeated
        )
    }
}
