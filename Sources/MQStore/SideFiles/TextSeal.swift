import MQProtocol
package import NIOCore

/// A checksum at the end of a JSON file, in white space: a line of 32 characters, each a bit of the CRC-32 of what
/// stands before, most significant first, a space for 0 and a tab for 1.
///
/// RocketMQ's files have no checksum, and a flipped bit in a number makes another number: consumers would skip
/// messages. One more member could be read by some, refused by others; white space behind the object is no part
/// of it. A stock broker writes the file anew without it: then nothing can be said, and the file is believed.
package enum TextSeal {
    package enum Use: Sendable {
        /// The file has none.
        case none
        /// A text that does not match is not used, its previous version is: with a wrong offset messages are skipped.
        case binding
        /// A text that does not match is used and reported: somebody may have changed it.
        case advisory
    }

    private static let zero = UInt8(ascii: " ")
    private static let one = UInt8(ascii: "\t")
    private static let newline = UInt8(ascii: "\n")
    /// Bytes, with the line break in front.
    package static let length = 1 + 32

    /// The text with its seal; one that has a seal must not be sealed again.
    package static func seal(_ text: ByteBuffer) -> ByteBuffer {
        var sealed = text
        let checksum = crc32(text.readableBytesUInt8Span)
        sealed.writeInteger(newline)
        for bit in (0..<32).reversed() { sealed.writeInteger(checksum >> UInt32(bit) & 1 == 1 ? one : zero) }
        return sealed
    }

    /// - Throws: `corrupt` when the text has a seal that does not match.
    package static func check(_ text: ByteBuffer) throws(StoreError) {
        if let mismatch = mismatch(of: text) { throw StoreError(.corrupt, mismatch) }
    }

    /// What is wrong, and what to do after a change by hand; nil when the text matches or has no seal.
    package static func mismatch(of text: ByteBuffer) -> String? {
        guard let sealed = checksum(in: text) else { return nil }
        let bytes = text.readableBytesUInt8Span
        let actual = crc32(bytes.extracting(0..<bytes.count - length))
        guard actual != sealed else { return nil }
        return "its checksum is \(actual), the white space at its end says \(sealed); "
            + "if you changed the file yourself, delete that white space"
    }

    /// Nil without a seal.
    private static func checksum(in text: ByteBuffer) -> UInt32? {
        let tail = text.readableBytesView.suffix(length)
        guard tail.count == length, tail.first == newline else { return nil }
        var checksum: UInt32 = 0
        for byte in tail.dropFirst() {
            guard byte == zero || byte == one else { return nil }
            checksum = checksum << 1 | (byte == one ? 1 : 0)
        }
        return checksum
    }
}
