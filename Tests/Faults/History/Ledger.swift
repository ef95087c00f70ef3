/// The stock of a few articles, and the identities of the messages that have changed it: what an idempotent consumer
/// keeps. Pure.
struct Ledger: Sendable {
    static let articles = 16
    static let opening: Int64 = 1_000_000

    private(set) var stock = [Int64](repeating: Self.opening, count: Self.articles)
    private(set) var applied: Set<Int64> = []
    private var identities: Set<String> = []

    /// What a message sells, and of which article.
    static func sale(_ number: Int64) -> (article: Int, quantity: Int64) {
        (Int(number) % articles, number % 5 + 1)
    }

    /// However often a message comes, it counts once: a consumer knows it by its identity, not by its number.
    mutating func apply(_ number: Int64, identity: String) {
        guard identities.insert(identity).inserted else { return }
        applied.insert(number)
        let sale = Self.sale(number)
        stock[sale.article] -= sale.quantity
    }

    /// What the stock is after these messages, each once.
    static func stock(after numbers: some Sequence<Int64>) -> [Int64] {
        numbers.reduce(into: [Int64](repeating: opening, count: articles)) { stock, number in
            let sale = sale(number)
            stock[sale.article] -= sale.quantity
        }
    }
}
