/// What other programs put between columns instead of commas.
enum Separator: String, CaseIterable {
    case semicolons, tabs
    case bars = "vertical bars"

    private var byte: UInt8 {
        switch self {
        case .semicolons: UInt8(ascii: ";")
        case .tabs: UInt8(ascii: "\t")
        case .bars: UInt8(ascii: "|")
        }
    }

    /// The one that makes columns of these names of a file's first line; nil when none does.
    static func inUse(in file: [UInt8], naming columns: [String]) -> Separator? {
        let line = file.prefix { $0 != UInt8(ascii: "\n") && $0 != UInt8(ascii: "\r") }
        return allCases.first { separator in
            let names = line.split(separator: separator.byte).map { name in
                String(decoding: name.filter { $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "\"") }, as: UTF8.self)
            }
            return columns.allSatisfy(names.contains)
        }
    }
}
