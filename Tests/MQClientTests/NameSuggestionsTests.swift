@testable import MQClient
import Testing

@Suite struct NameSuggestionsTests {
    @Test func distances() {
        func distance(_ one: String, _ other: String) -> Int {
            NameSuggestions.editDistance(Array(one.utf8), Array(other.utf8))
        }
        #expect(distance("", "") == 0)
        #expect(distance("", "abc") == 3)
        #expect(distance("kitten", "sitting") == 3)
        #expect(distance("same", "same") == 0)
    }

    @Test("The nearest names come first, case does not matter, far ones are left out")
    func nearest() {
        let names = ["Orders", "OrderPaid", "orders-eu", "Invoices", "Order"]
        #expect(NameSuggestions.nearest(to: "order", among: names) == ["Order", "Orders"])
        #expect(NameSuggestions.nearest(to: "Zebra", among: names) == [])
    }
}
