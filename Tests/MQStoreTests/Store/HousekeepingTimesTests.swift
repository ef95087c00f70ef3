import MQProtocol
import Testing

@testable import MQStore

@Suite("When the store keeps house")
struct HousekeepingTimesTests {
    private let start = Timestamp(milliseconds: 1_795_000_000_000)

    @Test("A clock that is set back by an hour does not put retention and checkpoints off for that hour")
    func clockSetBack() {
        var house = Housekeeping(plan: RetentionPlan(settings: RetentionSettings()), now: start)
        let interval = Duration.seconds(30)
        func due(_ now: Timestamp) -> [Bool] {
            let checkpoint = house.isCheckpointDue(now, interval: interval, replayed: 0, bytes: .max)
            return [checkpoint, house.isRetentionDue(now)]
        }
        #expect(due(start) == [false, false])
        let back = start.advanced(by: .seconds(-3600))
        #expect(due(back) == [false, false])
        #expect(due(back.advanced(by: interval)) == [true, false])
        #expect(due(back.advanced(by: Housekeeping.firstRetention)) == [true, true])
    }
}
