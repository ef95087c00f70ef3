import Testing

@testable import MQBroker

@Suite("Telling the name servers")
struct RegistrationProgressTests {
    @Test("Who waits is let go when every server was told or tried")
    func trace() {
        var progress = RegistrationProgress<String>(serverCount: 2)
        #expect(progress.wait("early") == true)
        progress.changed()
        #expect(progress.mustTell(0))
        #expect(progress.wait("topic") == false)
        #expect(progress.attempted(0, change: 1) == [])
        #expect(!progress.mustTell(0))
        #expect(progress.attempted(1, change: 1) == ["topic"])
        #expect(progress.wait("late") == true)
    }

    @Test("An attempt that began before the change does not count for it")
    func earlierAttempt() {
        var progress = RegistrationProgress<String>(serverCount: 1)
        progress.changed()
        #expect(progress.wait("first") == false)
        progress.changed()
        #expect(progress.wait("second") == false)
        #expect(progress.attempted(0, change: 1) == ["first"])
        #expect(progress.mustTell(0))
        #expect(progress.attempted(0, change: 2) == ["second"])
    }

    @Test("Without name servers nobody waits, and at the end nobody is left")
    func nobody() {
        var none = RegistrationProgress<String>(serverCount: 0)
        none.changed()
        #expect(none.wait("x") == true)
        var progress = RegistrationProgress<String>(serverCount: 1)
        progress.changed()
        #expect(progress.wait("x") == false)
        #expect(progress.end() == ["x"])
        #expect(progress.end() == [])
    }
}
