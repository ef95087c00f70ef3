/// So many units of one stock code, at one position of an order or credit note.
///
/// Within an event it is written as `[position, code, quantity]`, because orders have many lines.
public struct Line: Sendable, Equatable, Codable {
    /// The identity of the line within its order; the content may occur twice.
    public var position: Int
    /// Compared byte for byte.
    public var code: String
    /// Positive.
    public var quantity: Int64

    public init(position: Int, code: String, quantity: Int64) {
        self.position = position
        self.code = code
        self.quantity = quantity
    }

    public init(from decoder: any Decoder) throws {
        var values = try decoder.unkeyedContainer()
        position = try values.decode(Int.self)
        code = try values.decode(String.self)
        quantity = try values.decode(Int64.self)
        guard quantity > 0 else {
            throw DecodingError.dataCorruptedError(in: values, debugDescription: "a line of \(quantity) units")
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var values = encoder.unkeyedContainer()
        try values.encode(position)
        try values.encode(code)
        try values.encode(quantity)
    }

    /// Codes are the same only when their bytes are: `==` of `String` also accepts equivalent spellings.
    public static func == (lhs: Line, rhs: Line) -> Bool {
        lhs.position == rhs.position && lhs.quantity == rhs.quantity && lhs.code.utf8.elementsEqual(rhs.code.utf8)
    }
}

extension [Line] {
    public var units: Int64 { reduce(0) { $0 + $1.quantity } }
}
