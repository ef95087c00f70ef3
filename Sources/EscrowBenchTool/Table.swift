import Foundation

/// Renders figures for people: one line each, asynchronous and synchronous flush side by side.
enum Table {
    private static let name = 40
    private static let column = 10

    static let heading = [
        pad("", name) + pad("    asynchronous flush", 4 * column + 2) + "    synchronous flush",
        pad("measurement", name) + side + "  " + side,
    ]

    private static var side: String {
        ["per second", "p50 ms", "p99 ms", "by hand"].map { right($0, column) }.joined()
    }

    /// - Parameter byHand: the same work done by hand.
    static func line(_ figure: Figure, byHand: Figure?) -> String {
        let asynchronous = side(figure.asynchronous, byHand?.asynchronous)
        let synchronous = side(figure.synchronous, byHand?.synchronous)
        return pad(figure.name, name) + asynchronous + "  " + synchronous
    }

    private static func side(_ measured: Measured?, _ byHand: Measured?) -> String {
        guard let measured else { return pad("", 4 * column) }
        let share = byHand.map { decimal(measured.perSecond / $0.perSecond * 100, 0) + "%" }
        return right(grouped(measured.perSecond), column) + right(measured.p50.map { decimal($0, 2) } ?? "", column)
            + right(measured.p99.map { decimal($0, 2) } ?? "", column) + right(share ?? "", column)
    }

    static func decimal(_ value: Double, _ places: Int) -> String {
        String(format: "%.\(places)f", value)
    }

    /// A whole number with a comma between groups of three digits.
    static func grouped(_ value: Double) -> String {
        let digits = String(Int(value.rounded()))
        var text = ""
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.count - index) % 3 == 0 { text.append(",") }
            text.append(digit)
        }
        return text
    }

    private static func pad(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }

    private static func right(_ text: String, _ width: Int) -> String {
        String(repeating: " ", count: max(0, width - text.count)) + text
    }
}
