import ShopEvents
import Testing

@testable import ShopFlow

@Suite struct WorkloadTests {
    private let settings = WorkloadSettings(.demo(orders: 400))

    @Test func whoPaysIsDecidedByTheNameOfTheOrder() {
        #expect(Behaviour.of("123456789", unpaid: 0, seed: 1) == .pays)
        #expect(Behaviour.of("123456789", unpaid: 100, seed: 1) != .pays)
        // CRC-32 of "123456789" is 0xCBF43926 = 3421780262: the remainder is 62.
        #expect(Behaviour.of("123456789", unpaid: 62, seed: 1) == .pays)
        #expect(Behaviour.of("123456789", unpaid: 63, seed: 1) != .pays)
    }

    @Test func someOfThoseWhoForgetPayLater() {
        let behaviours = (0..<2000).map { Behaviour.of("order \($0)", unpaid: 100, seed: 7) }
        let late = behaviours.count { $0 == .paysLate }
        #expect((150...350).contains(late))
        #expect((0..<2000).map { Behaviour.of("order \($0)", unpaid: 100, seed: 8) } != behaviours)
    }

    @Test func theSameSeedMakesTheSameCustomers() {
        let one = Workload.demo(orders: 400, settings)
        #expect(one.fingerprint == Workload.demo(orders: 400, settings).fingerprint)
        var other = settings
        other.seed = 2
        #expect(one.fingerprint != Workload.demo(orders: 400, other).fingerprint)
        other = settings
        other.openingStock = 5
        #expect(one.fingerprint != Workload.demo(orders: 400, other).fingerprint)
    }

    @Test func theDemoHasEverything() {
        let workload = Workload.demo(orders: 400, settings)
        #expect(workload.orders.count == 400)
        #expect(workload.users.count == 50)
        #expect(workload.returns.count == 8)
        #expect(Set(workload.orders.map(\.behaviour)) == [.pays, .forgets, .paysLate])
        #expect(Set(workload.users.map(\.address)).count == 50)
        let shelves = Set(workload.shelves.map(\.code))
        #expect(workload.orders.allSatisfy { $0.lines.allSatisfy { shelves.contains($0.code) } })
        #expect(workload.input.lines == workload.input.used)
    }
}
