import Foundation

/// One measured quantity of the store by itself.
struct StoreFigure: Sendable, Encodable {
    var name: String
    var value: Double
    var unit: String
    var places = 0

    static func table(_ figures: [StoreFigure]) -> String {
        let width = figures.map(\.name.count).max() ?? 0
        let values = figures.map { $0.places == 0 ? Table.grouped($0.value) : Table.decimal($0.value, $0.places) }
        let valueWidth = values.map(\.count).max() ?? 0
        return zip(figures, values).map { figure, value in
            let name = figure.name + String(repeating: " ", count: width - figure.name.count)
            let number = String(repeating: " ", count: valueWidth - value.count) + value
            return "\(name)  \(number) \(figure.unit)"
        }.joined(separator: "\n")
    }

    static func json(_ figures: [StoreFigure]) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(["figures": figures]), as: UTF8.self)
    }
}
