import NIOCore
import Testing

@testable import MQProtocol

@Suite struct GunzipTests {
    /// `gzip -9` of "hello\n", without a name or a time.
    private let hello: [UInt8] = [
        0x1F, 0x8B, 0x08, 0, 0, 0, 0, 0, 0x02, 0x03, 0xCB, 0x48, 0xCD, 0xC9, 0xC9, 0xE7, 0x02, 0, 0x20, 0x30, 0x3A,
        0x36, 0x06, 0, 0, 0,
    ]

    private func inflate(_ bytes: [UInt8], pieces: Int = 1000, limit: Int = 1000) throws -> String {
        var gunzip = try Gunzip(limit: limit)
        var output = ByteBuffer()
        for start in stride(from: 0, to: bytes.count, by: pieces) {
            var input = ByteBuffer(bytes: bytes[start..<min(start + pieces, bytes.count)])
            while try gunzip.inflate(&input, into: &output) {}
        }
        try gunzip.finish()
        return String(buffer: output)
    }

    private func code(_ bytes: [UInt8], limit: Int = 1000) -> RecordError.Code? {
        do {
            _ = try inflate(bytes, limit: limit)
            return nil
        } catch {
            return (error as? RecordError)?.code
        }
    }

    @Test(arguments: [1, 2, 7, 1000])
    func inflatesInPieces(_ pieces: Int) throws {
        #expect(try inflate(hello, pieces: pieces) == "hello\n")
        #expect(try inflate(hello + hello, pieces: pieces) == "hello\nhello\n")
    }

    @Test(arguments: [1, 2, 7, 1000])
    func zerosBehindAMemberArePadding(_ pieces: Int) throws {
        let padding = [UInt8](repeating: 0, count: 700)
        #expect(try inflate(hello + padding, pieces: pieces) == "hello\n")
        #expect(try inflate(hello + [0, 0] + hello + padding, pieces: pieces) == "hello\nhello\n")
    }

    @Test func everyPrefixEndsEarly() {
        for length in 0..<hello.count { #expect(code(Array(hello.prefix(length))) == .corruptCompression) }
    }

    @Test func garbageIsNoticed() {
        #expect(code(Array("plain text".utf8)) == .corruptCompression)
        #expect(code(hello + Array("tail".utf8)) == .corruptCompression)
        var damaged = hello
        damaged[19] ^= 1
        #expect(code(damaged) == .corruptCompression)
    }

    @Test func theLimitIsExact() {
        #expect(code(hello, limit: 6) == nil)
        #expect(code(hello, limit: 5) == .inflatesBeyondLimit)
    }
}
