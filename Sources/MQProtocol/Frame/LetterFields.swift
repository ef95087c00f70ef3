/// Where the values of the fields `a` to `m` are: noted while a JSON header is checked, so that the header of a send,
/// whose names are single letters, is not walked a second time.
struct LetterFields: Sendable {
    /// Positions relative to the first byte of the fields. Headers have fewer than 2^24 bytes.
    struct Place: Sendable {
        private var start: UInt32 = 0
        /// With the top bit for escapes; 0 for a field that is not there or is null.
        private var end: UInt32 = 0

        private static let escapes: UInt32 = 1 << 31

        init() {}

        init(_ piece: FieldPiece, base: Int) {
            start = UInt32(truncatingIfNeeded: piece.start &- base)
            end = UInt32(truncatingIfNeeded: piece.end &- base) | (piece.isEscaped ? Self.escapes : 0)
        }

        var isPresent: Bool { end != 0 }

        var piece: FieldPiece {
            FieldPiece(start: Int(start), end: Int(end & ~Self.escapes), isEscaped: end & Self.escapes != 0)
        }
    }

    private(set) var a = Place()
    private(set) var b = Place()
    private(set) var c = Place()
    private(set) var d = Place()
    private(set) var e = Place()
    private(set) var f = Place()
    private(set) var g = Place()
    private(set) var h = Place()
    private(set) var i = Place()
    private(set) var j = Place()
    private(set) var k = Place()
    private(set) var l = Place()
    private(set) var m = Place()

    /// Whether the fields that every send has are there.
    var areComplete: Bool {
        a.isPresent && b.isPresent && c.isPresent && d.isPresent && e.isPresent && f.isPresent && g.isPresent
            && h.isPresent
    }

    mutating func note(_ letter: UInt8, _ place: Place) {
        switch letter {
        case UInt8(ascii: "a"): a = place
        case UInt8(ascii: "b"): b = place
        case UInt8(ascii: "c"): c = place
        case UInt8(ascii: "d"): d = place
        case UInt8(ascii: "e"): e = place
        case UInt8(ascii: "f"): f = place
        case UInt8(ascii: "g"): g = place
        case UInt8(ascii: "h"): h = place
        case UInt8(ascii: "i"): i = place
        case UInt8(ascii: "j"): j = place
        case UInt8(ascii: "k"): k = place
        case UInt8(ascii: "l"): l = place
        case UInt8(ascii: "m"): m = place
        default: break
        }
    }
}
