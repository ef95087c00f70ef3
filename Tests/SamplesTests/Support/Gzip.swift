import Foundation
import MQProtocol

/// Gzip files without a program that makes them.
enum Gzip {
    /// RFC 1952 around blocks that are not compressed (RFC 1951, 3.2.4).
    static func stored(_ bytes: [UInt8]) -> Data {
        var file = Data([0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3])
        let block = 65_535
        for start in stride(from: 0, to: bytes.count, by: block) {
            let end = min(start + block, bytes.count)
            let length = UInt16(end - start)
            file.append(end == bytes.count ? 1 : 0)
            file.append(littleEndian: length)
            file.append(littleEndian: ~length)
            file.append(contentsOf: bytes[start..<end])
        }
        file.append(littleEndian: crc32(bytes.span))
        file.append(littleEndian: UInt32(bytes.count))
        return file
    }
}

extension Data {
    fileprivate mutating func append(littleEndian value: some FixedWidthInteger) {
        for shift in stride(from: 0, to: value.bitWidth, by: 8) { append(UInt8(truncatingIfNeeded: value >> shift)) }
    }
}
