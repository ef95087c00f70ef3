@testable import MQClient
import MQProtocol
import Testing

@Suite struct PresenceTableTests {
    private func consumer(_ group: String) -> ConsumerPresence {
        ConsumerPresence(group: group, subscriptions: { [] }, onRequest: { _, _ in })
    }

    @Test("A group is there once for each role")
    func oncePerRole() {
        var table = PresenceTable()
        let additions = [
            table.add(ProducerPresence(group: "G")), table.add(ProducerPresence(group: "G")),
            table.add(consumer("G")), table.add(consumer("G")),
        ]
        #expect(additions == [true, false, true, false])
    }

    @Test("What was announced is withdrawn once, unless it came back")
    func withdrawals() {
        var table = PresenceTable()
        _ = table.add(ProducerPresence(group: "P"))
        _ = table.add(consumer("C"))
        _ = table.add(consumer("Back"))
        table.removeProducer("P")
        table.removeProducer("never there")
        table.removeConsumer("C")
        table.removeConsumer("Back")
        _ = table.add(consumer("Back"))
        let first = table.takeWithdrawn()
        let second = table.takeWithdrawn()
        #expect(first == [.init(role: .producer, group: "P"), .init(role: .consumer, group: "C")])
        #expect(second == [])
    }

    @Test("Only a producer with a checker makes every master of interest")
    func checks() {
        var table = PresenceTable()
        _ = table.add(ProducerPresence(group: "plain"))
        #expect(!table.answersChecks)
        _ = table.add(ProducerPresence(group: "checked", onCheck: { _ in }))
        #expect(table.answersChecks)
        table.removeProducer("checked")
        #expect(!table.answersChecks)
    }

    @Test("A heartbeat wanted while one is under way follows it once")
    func standings() {
        var standings = BrokerStandings()
        let began = [standings.begin("a"), standings.begin("a"), standings.begin("a"), standings.begin("b")]
        #expect(began == [true, false, false, true])
        let again = [standings.finish("a"), standings.finish("a"), standings.begin("a")]
        #expect(again == [true, false, true])
    }

    @Test("A broker's kind is known from its answer on")
    func announcements() {
        var standings = BrokerStandings()
        standings.told("stock")
        #expect(standings.announcesEscrow("stock") == nil)
        standings.answered("stock", announcesEscrow: false, now: .zero)
        standings.answered("ours", announcesEscrow: true, now: .zero)
        #expect(standings.announcesEscrow("stock") == false)
        #expect(standings.announcesEscrow("ours") == true)
    }

    @Test("Who was told is told when a group ends, unless the last heartbeat failed")
    func told() {
        var standings = BrokerStandings()
        for address in ["a", "b", "c"] { standings.told(address) }
        standings.answered("a", announcesEscrow: true, now: .zero)
        standings.failed("b")
        #expect(standings.told == ["a", "c"])
    }

    @Test("An outage is news when it begins and when it ends")
    func outages() {
        var outages = Outages()
        let news = [
            outages.worked("x"), outages.failed("x"), outages.failed("x"), outages.worked("x"), outages.worked("x"),
        ]
        #expect(news == [false, true, false, true, false])
    }
}
