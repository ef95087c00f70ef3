/// Lines of aligned columns, two spaces apart. A cell that is too wide pushes the rest of its line.
struct Columns {
    private let widths: [Int]

    /// - Parameter widths: characters of each column; a negative one aligns to the right. The last column may be 0.
    init(_ widths: Int...) {
        self.widths = widths
    }

    func line(_ cells: String...) -> String {
        line(cells)
    }

    func line(_ cells: [String]) -> String {
        let padded = cells.enumerated().map { index, cell in
            let width = index < widths.count ? widths[index] : 0
            return width < 0 ? cell.leftPadded(to: -width) : cell.padded(to: width)
        }
        var text = padded.joined(separator: "  ")
        while text.last == " " { text.removeLast() }
        return text
    }
}

extension String {
    func padded(to width: Int) -> String {
        self + String(repeating: " ", count: max(0, width - count))
    }

    func leftPadded(to width: Int) -> String {
        String(repeating: " ", count: max(0, width - count)) + self
    }
}

extension Double {
    /// With so many digits behind the point.
    func text(places: Int) -> String {
        guard isFinite, abs(self) < 1e15 else { return String(self) }
        var scale = 1.0
        for _ in 0..<places { scale *= 10 }
        let whole = (self * scale).rounded()
        let digits = String(Int64(abs(whole)))
        let padded = digits.leftPaddedWithZeros(to: places + 1)
        let sign = whole < 0 ? "-" : ""
        return places == 0 ? sign + padded : sign + padded.dropLast(places) + "." + padded.suffix(places)
    }
}

extension String {
    fileprivate func leftPaddedWithZeros(to width: Int) -> String {
        String(repeating: "0", count: max(0, width - count)) + self
    }
}
