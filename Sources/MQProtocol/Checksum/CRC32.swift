import CChecksum
import CZlib

/// IEEE 802.3 CRC-32, all 32 bits.
///
/// By carry-less multiplication where the processor has it; zlib's tables for the rest, and elsewhere.
package func crc32(_ bytes: Span<UInt8>) -> UInt32 {
    unsafe bytes.withUnsafeBufferPointer { pointer in
        guard let start = pointer.baseAddress else { return 0 }
        let folded = canFold && pointer.count >= 64 ? pointer.count & ~15 : 0
        let checksum = folded > 0 ? unsafe checksum_fold_crc32(start, folded) : 0
        guard folded < pointer.count else { return checksum }
        return UInt32(truncatingIfNeeded: unsafe crc32_z(uLong(checksum), start + folded, pointer.count - folded))
    }
}

/// CRC-32 as records and registration bodies carry it: without the top bit, so that Java's int is not negative.
package func bodyCRC(_ bytes: Span<UInt8>) -> Int32 {
    Int32(bitPattern: crc32(bytes) & 0x7FFF_FFFF)
}

private let canFold = checksum_can_fold()
