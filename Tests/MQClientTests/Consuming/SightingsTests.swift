import MQProtocol
import TestSupport
import Testing

@testable import MQClient

@Suite("What a consumer saw of a queue")
struct SightingsTests {
    private func sightings(_ offsets: some Sequence<Int64>) -> Sightings {
        var sightings = Sightings()
        for offset in offsets { sightings.note(Received.message(offset: offset)) }
        return sightings
    }

    @Test("However much is seen, few are kept: the last ones closely, the older ones wider apart, at every distance")
    func spacing() {
        let sightings = sightings(0..<10_000)
        let offsets = sightings.all.map(\.offset)
        #expect(offsets.count <= Sightings.capacity)
        #expect(offsets == offsets.sorted())
        #expect(offsets.suffix(Sightings.capacity / 2) == Array(9999 - 11...9999)[...])
        for distance in Int64(12)...9999 {
            let before = offsets.last { $0 <= 9999 - distance } ?? -1
            #expect(9999 - before <= 5 * distance, "\(distance) back, the last one known is \(before)")
        }
    }

    @Test("The last one that is still there is found with few looks, wherever the end was lost")
    func search() async throws {
        var generator = SeededGenerator(seed: TestSeed.current)
        for _ in 0..<200 {
            let count = Int64.random(in: 0...3000, using: &generator)
            let end = Int64.random(in: 0...3100, using: &generator)
            let sightings = sightings(0..<count)
            var looks = 0
            let found = await sightings.lastTrue { seen in
                looks += 1
                return seen.offset < end
            }
            #expect(found?.offset == sightings.all.last { $0.offset < end }?.offset)
            #expect(looks <= 6)
        }
    }

    @Test("What was replaced is forgotten, what was before it is not")
    func forgetting() {
        var sightings = sightings([3, 5, 9])
        sightings.forget(from: 5)
        #expect(sightings.all.map(\.offset) == [3])
    }
}
