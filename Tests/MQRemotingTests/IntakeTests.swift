import Testing

@testable import MQRemoting

@Suite struct IntakeTests {
    @Test func readingStopsAtTheLimitAndResumesAtHalf() {
        var intake = Intake(maximumInFlight: 4, maximumParked: 9, readsWhileOutputIsHigh: false)
        for _ in 0..<3 { intake.began() }
        #expect(intake.mayRead)
        intake.began()
        #expect(!intake.mayRead)
        intake.finished()
        #expect(!intake.mayRead)
        intake.finished()
        #expect(intake.mayRead)
        #expect(intake.inFlight == 2)
    }

    @Test func parkedRequestsDoNotCountAsInFlightButHaveALimitOfTheirOwn() {
        var intake = Intake(maximumInFlight: 1, maximumParked: 2, readsWhileOutputIsHigh: false)
        intake.began()
        #expect(!intake.mayRead)
        intake.park()
        #expect(intake.mayRead)
        intake.began()
        intake.park()
        #expect(!intake.mayRead)
        intake.unpark()
        intake.finished()
        #expect(intake.mayRead)
        #expect(intake.parked == 1)
        #expect(intake.inFlight == 0)
    }

    @Test func aServerStopsReadingFromAPeerThatDoesNotRead() {
        var server = Intake(maximumInFlight: 4, maximumParked: 4, readsWhileOutputIsHigh: false)
        var client = Intake(maximumInFlight: 4, maximumParked: 4, readsWhileOutputIsHigh: true)
        server.isOutputHigh = true
        client.isOutputHigh = true
        #expect(!server.mayRead)
        #expect(client.mayRead)
        server.isOutputHigh = false
        #expect(server.mayRead)
    }

    @Test func aDrainingConnectionTakesNothing() {
        var intake = Intake(maximumInFlight: 4, maximumParked: 4, readsWhileOutputIsHigh: true)
        intake.isDraining = true
        #expect(!intake.mayRead)
    }
}
