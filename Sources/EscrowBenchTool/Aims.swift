/// What the framework is meant to reach on a machine of two cores, and whether this run did.
enum Aims {
    private struct Aim {
        var text: String
        var measured: Double?
        var limit: Double
        var isUpperLimit = false

        var line: String? {
            guard let measured else { return nil }
            let isMet = isUpperLimit ? measured <= limit : measured >= limit
            let relation = isUpperLimit ? "at most" : "at least"
            return "\(isMet ? "met   " : "missed")  \(text): \(figure(measured)), \(relation) \(figure(limit))"
        }

        private func figure(_ value: Double) -> String {
            value >= 1000 ? Table.grouped(value) : Table.decimal(value, 1)
        }
    }

    /// One line for each aim that something was measured for.
    static func check(_ figures: [Figure]) -> [String] {
        let byName = Dictionary(figures.map { ($0.name, $0) }) { first, _ in first }
        let sides: [(String, KeyPath<Figure, Measured?>)] = [
            ("asynchronous", \.asynchronous), ("synchronous", \.synchronous),
        ]
        return sides.flatMap { side, path in
            aims(side) { byName[$0]?[keyPath: path] }
        }.compactMap(\.line)
    }

    private static func aims(_ side: String, _ measurement: (String) -> Measured?) -> [Aim] {
        let deadlines = measurement(Bench.deadlines)
        return [
            Aim(
                text: "transactions per second at 64 in flight, \(side) flush",
                measured: measurement(Bench.transactions(64))?.perSecond, limit: 10_000),
            Aim(
                text: "messages handled once per second, \(side) flush",
                measured: measurement(Bench.handled)?.perSecond, limit: 40_000),
            Aim(
                text: "deadlines, p99 of the error in milliseconds, \(side) flush",
                measured: deadlines?.p99, limit: 20, isUpperLimit: true),
            Aim(
                text: "deadlines that fired early, \(side) flush",
                measured: deadlines.map { Double($0.milliseconds.filter { $0 < 0 }.count) }, limit: 0,
                isUpperLimit: true),
        ]
    }
}
