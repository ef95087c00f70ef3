import NIOCore

@testable import MQProtocol

extension ByteBuffer {
    /// Bytes written as hex digits; everything that is not one is skipped.
    init(hexText: String) {
        self.init()
        var digits = hexText.compactMap(\.hexDigitValue)[...]
        while let high = digits.popFirst(), let low = digits.popFirst() {
            writeInteger(UInt8(high << 4 | low))
        }
    }

    /// Property text in which the two separators are written as their Unicode symbols.
    init(propertySymbols: String) {
        let text = propertySymbols.replacing("␁", with: "\u{1}").replacing("␂", with: "\u{2}")
        self.init(string: text)
    }

    var hexText: String {
        readableBytesView.map { byte in
            String(byte >> 4, radix: 16) + String(byte & 0xF, radix: 16)
        }.joined()
    }

    var array: [UInt8] { Array(readableBytesView) }
}

extension RecordView {
    /// For expectations, which cannot capture a span.
    func checksumMatches(_ bytes: [UInt8], at position: Int = 0) -> Bool {
        bodyChecksumMatches(in: bytes.span, at: position)
    }
}
