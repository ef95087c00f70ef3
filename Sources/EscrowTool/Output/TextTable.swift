/// Rows of aligned columns under headings.
struct TextTable {
    private let headings: [String]
    private let rightAligned: Set<Int>
    private var rows: [[String]] = []

    /// A cell is cut after so many characters, the last one of a row is not.
    private static let widest = 48

    /// - Parameter rightAligned: indexes of columns of numbers.
    init(_ headings: [String], rightAligned: Set<Int> = []) {
        self.headings = headings
        self.rightAligned = rightAligned
    }

    mutating func add(_ cells: [String]) {
        rows.append(cells)
    }

    var isEmpty: Bool { rows.isEmpty }

    var text: String {
        let all = ([headings] + rows).map { $0.enumerated().map { index, cell in short(cell, index) } }
        let widths = headings.indices.map { column in all.map { $0[column].count }.max() ?? 0 }
        let lines = all.map { row in
            row.enumerated().map { column, cell in padded(cell, column, widths[column]) }.joined(separator: "  ")
        }
        let rule = widths.map { String(repeating: "─", count: $0) }.joined(separator: "  ")
        return ([lines[0], rule] + lines.dropFirst()).map(withoutTail).joined(separator: "\n")
    }

    private func short(_ cell: String, _ column: Int) -> String {
        let line = cell.split(whereSeparator: \.isNewline).joined(separator: " ")
        guard column < headings.count - 1, line.count > Self.widest else { return line }
        return line.prefix(Self.widest - 1) + "…"
    }

    private func padded(_ cell: String, _ column: Int, _ width: Int) -> String {
        let blanks = String(repeating: " ", count: max(0, width - cell.count))
        return rightAligned.contains(column) ? blanks + cell : cell + blanks
    }

    private func withoutTail(_ line: String) -> String {
        var line = line
        while line.last == " " { line.removeLast() }
        return line
    }
}
