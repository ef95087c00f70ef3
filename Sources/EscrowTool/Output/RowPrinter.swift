import Foundation

/// Prints rows of several services: as tables with a heading each, or as one JSON array.
struct RowPrinter {
    let json: Bool
    private var objects: [[String: String]] = []
    private var sections: [String] = []

    init(json: Bool) {
        self.json = json
    }

    /// - Parameters:
    ///   - keys: of the JSON objects, one for each column.
    ///   - headings: of the table; `rows` have a cell for each.
    ///   - whenEmpty: what the table says without rows.
    mutating func add(
        _ service: String, _ summary: String, keys: [String], headings: [String], rightAligned: Set<Int> = [],
        rows: [[String]], whenEmpty: String
    ) {
        for row in rows {
            var object = ["service": service]
            for (key, cell) in zip(keys, row) where !cell.isEmpty { object[key] = cell }
            objects.append(object)
        }
        var table = TextTable(headings, rightAligned: rightAligned)
        rows.forEach { table.add($0) }
        let title = summary.isEmpty ? service : "\(service): \(summary)"
        sections.append(table.isEmpty ? "\(title)\n  \(whenEmpty)" : "\(title)\n\(table.text)")
    }

    func print() throws {
        guard json else { return Console.print(sections.joined(separator: "\n\n")) }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        Console.print(String(decoding: try encoder.encode(objects), as: UTF8.self))
    }
}
