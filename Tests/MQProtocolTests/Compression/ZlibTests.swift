import NIOCore
import TestSupport
import Testing

@testable import MQProtocol

@Suite struct ZlibTests {
    private let repeated = ByteBuffer(string: String(repeating: "0123456789abcdef", count: 500))

    private func code(_ body: ByteBuffer, limit: Int = 1_000_000) -> RecordError.Code? {
        do throws(RecordError) {
            _ = try Zlib.inflate(body, limit: limit)
            return nil
        } catch {
            return error.code
        }
    }

    @Test func inflatesWhatAStockProducerDeflated() throws {
        #expect(try Zlib.inflate(recordVectors[3].bodyBytes, limit: 8000) == repeated)
    }

    @Test func deflatesWithTheLevelOfStockProducers() {
        #expect(Zlib.deflate(repeated).getInteger(at: 0, as: UInt16.self) == 0x785E)
    }

    @Test func whatIsDeflatedInflates() throws {
        var random = SeededGenerator()
        for size in [0, 1, 100, 16_383, 16_384, 16_385, 70_000, 300_000] {
            for level in [-3, 1, 5, 9, 77] as [Int32] {
                let noise = ByteBuffer(bytes: random.bytes(size))
                #expect(try Zlib.inflate(Zlib.deflate(noise, level: level), limit: size) == noise)
                let plain = ByteBuffer(repeating: 0x61, count: size)
                #expect(try Zlib.inflate(Zlib.deflate(plain, level: level), limit: size) == plain)
            }
        }
    }

    @Test func theLimitIsExact() {
        let packed = Zlib.deflate(repeated)
        #expect(code(packed, limit: 8000) == nil)
        #expect(code(packed, limit: 7999) == .inflatesBeyondLimit)
        #expect(code(packed, limit: 0) == .inflatesBeyondLimit)
        #expect(code(packed, limit: -5) == .inflatesBeyondLimit)
    }

    @Test func aBombStopsAtTheLimit() throws {
        let bomb = Zlib.deflate(ByteBuffer(repeating: 0, count: 64 << 20), level: 9)
        #expect(bomb.readableBytes < 70_000)
        #expect(code(bomb, limit: 100_000) == .inflatesBeyondLimit)
    }

    @Test func everyPrefixEndsEarly() throws {
        let packed = Zlib.deflate(repeated)
        for length in 0..<packed.readableBytes {
            #expect(code(try #require(packed.getSlice(at: 0, length: length))) == .corruptCompression)
        }
    }

    @Test func damageIsNoticed() throws {
        var random = SeededGenerator()
        let original = ByteBuffer(string: random.letters(2000))
        let packed = Zlib.deflate(original)
        for _ in 0..<500 {
            var damaged = packed
            let position = Int.random(in: 2..<packed.readableBytes, using: &random)
            let byte = try #require(packed.getInteger(at: position, as: UInt8.self))
            damaged.setInteger(byte ^ UInt8.random(in: 1...255, using: &random), at: position)
            // A damaged length may also make it too long. Unnoticed is only what changes nothing: the unused bits of
            // the last byte before the checksum.
            if code(damaged) == nil { #expect(try Zlib.inflate(damaged, limit: 8000) == original) }
        }
    }

    @Test func bytesBehindTheStreamAreIgnored() throws {
        var packed = Zlib.deflate(repeated)
        packed.writeString("more")
        #expect(try Zlib.inflate(packed, limit: 8000) == repeated)
    }

    @Test(
        arguments: [
            (0x101, "04224d186070733a000000ff0130313233343536373839616263646566", "LZ4"),
            (0x201, "28b52ffd0058c4000080303132333435363738396162636465660100", "ZSTD"),
            (0x701, "00", "compression type 7"),
        ] as [(Int32, String, String)])
    func otherAlgorithmsAreNamed(sysFlag: Int32, hex: String, name: String) throws {
        let type = try #require(SysFlag(rawValue: sysFlag).compression)
        let error = #expect(throws: RecordError.self) { try type.decompress(ByteBuffer(hexText: hex), limit: 8000) }
        #expect(error?.code == .unsupportedCompression)
        #expect(error?.message.contains(name) == true)
    }
}
