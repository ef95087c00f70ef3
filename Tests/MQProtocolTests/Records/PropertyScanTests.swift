import TestSupport
import Testing

@testable import MQProtocol

/// The scan looks at eight bytes at a time; here it is compared with one that looks at each.
@Suite struct PropertyScanTests {
    private struct Item: Equatable {
        var name: Range<Int>
        var value: Range<Int>
    }

    /// Of the items between separators, as stock's `string2messageProperties` takes them.
    private func items(_ bytes: [UInt8], _ range: Range<Int>) -> [Item] {
        parts(bytes, range).compactMap { part in
            guard let end = bytes[part].firstIndex(of: 1), end > part.lowerBound, end + 1 < part.upperBound else {
                return nil
            }
            return Item(name: part.lowerBound..<end, value: (end + 1)..<part.upperBound)
        }
    }

    private func isWellFormed(_ bytes: [UInt8], _ range: Range<Int>, allowsZero: Bool) -> Bool {
        if !allowsZero, bytes[range].contains(0) { return false }
        return parts(bytes, range).allSatisfy { part in
            part.isEmpty || bytes[part].firstIndex(of: 1).map { $0 > part.lowerBound } ?? false
        }
    }

    private func parts(_ bytes: [UInt8], _ range: Range<Int>) -> [Range<Int>] {
        bytes[range].split(separator: 2, omittingEmptySubsequences: false).map { $0.startIndex..<$0.endIndex }
    }

    @Test func itemsAreThoseThatALookAtEachByteFinds() {
        var random = SeededGenerator()
        let alphabet: [UInt8] = [0, 1, 1, 2, 2, 3, 0x41, 0x42, 0x61, 0x7F, 0x80, 0x81, 0xFF]
        for _ in 0..<4000 {
            let bytes = (0..<random.next(below: 48)).map { _ in alphabet[random.next(below: alphabet.count)] }
            let start = random.next(below: bytes.count + 1)
            let range = start..<(start + random.next(below: bytes.count - start + 1))
            var found: [Item] = []
            PropertyScan.forEach(in: bytes.span, range: range) { found.append(Item(name: $0, value: $1)) }
            #expect(found == items(bytes, range), "\(bytes) \(range)")
            for allowsZero in [true, false] {
                let isWellFormed = PropertyScan.isWellFormed(bytes.span, range, allowsZero: allowsZero)
                #expect(isWellFormed == self.isWellFormed(bytes, range, allowsZero: allowsZero), "\(bytes) \(range)")
            }
        }
    }
}
