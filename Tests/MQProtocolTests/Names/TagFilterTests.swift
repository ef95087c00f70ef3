import TestSupport
import Testing

@testable import MQProtocol

@Suite struct TagFilterTests {
    @Test func readsAnExpression() {
        #expect(TagFilter(expression: "*") == .all)
        #expect(TagFilter(expression: "") == .all)
        #expect(TagFilter(expression: "TagA || TagB").codes == [2_598_919, 2_598_920])
        #expect(TagFilter.tags(in: "TagA || TagB||TagA|| ") == ["TagA", "TagB"])
        #expect(TagFilter.tags(in: "标签||a|b") == ["标签", "a|b"])
        #expect(TagFilter.tags(in: "*") == [])
        #expect(TagFilter(expression: "||").matches(tagsCode: 0) == false)
    }

    /// Compared with each other, so many would take an hour.
    @Test(.timeLimit(.minutes(1))) func readsVeryManyTags() {
        let expression = (0..<200_000).map { "t\($0)" }.joined(separator: "||") + "||t7"
        #expect(TagFilter.tags(in: expression).count == 200_000)
    }

    @Test func everythingMatchesAll() {
        #expect(TagFilter.all.matches(tagsCode: 0))
        #expect(TagFilter.all.matches(tagsCode: .min))
        #expect(TagFilter.all.isAll)
        #expect(TagFilter.all.codes == [])
    }

    @Test func comparesTheLowHalfOfTheTagsCode() {
        let filter = TagFilter(expression: "TagA||polygenelubricants")
        #expect(filter.matches(tagsCode: 0x27A807))
        #expect(filter.matches(tagsCode: 0x1_0027_A807))
        #expect(filter.matches(tagsCode: -2_147_483_648))
        #expect(!filter.matches(tagsCode: 0x27A808))
        #expect(!filter.matches(tagsCode: 0))
        #expect(!filter.isAll)
    }

    /// Entries of a stock broker with `enableConsumeQueueExt`: the hash is elsewhere.
    @Test func anAddressMatchesEveryFilter() {
        let filter = TagFilter(expression: "TagA")
        for address in [.min, .min + 20, -2_147_483_649] as [Int64] {
            #expect(TagFilter.isExtensionAddress(address) && filter.matches(tagsCode: address))
        }
        for hash in [-2_147_483_648, -1, 0, 0x27A808] as [Int64] {
            #expect(!TagFilter.isExtensionAddress(hash) && !filter.matches(tagsCode: hash))
        }
    }

    @Test(arguments: [1, 2, 16, 17, 100])
    func findsEachOfManyCodes(count: Int) {
        var random = SeededGenerator()
        let codes = Set((0..<count).map { _ in Int32.random(in: -1000...1000, using: &random) })
        let filter = TagFilter(codes: codes)
        for code in -1001...1001 as ClosedRange<Int32> {
            #expect(filter.matches(tagsCode: Int64(code)) == codes.contains(code))
        }
    }
}
