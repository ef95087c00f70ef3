import Foundation

/// Files of RocketMQ 4.9 made byte by byte from its published layout, and read by it. Knows nothing of this project's
/// own encoders and decoders: what both get wrong in the same way would stay unseen.
enum StockBytes {
    /// Big-endian, as all of RocketMQ's integers.
    static func integer(_ value: Int64, bytes: Int) -> [UInt8] {
        (0..<bytes).reversed().map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
    }

    static func integer(_ data: some Collection<UInt8>) -> Int64 {
        var value: UInt64 = 0
        for byte in data { value = value << 8 | UInt64(byte) }
        let unused = 64 - 8 * data.count
        return Int64(bitPattern: value << unused) >> unused
    }

    /// `String.hashCode` of Java.
    static func javaHash(_ text: String) -> Int32 {
        text.utf16.reduce(Int32(0)) { 31 &* $0 &+ Int32($1) }
    }

    /// IEEE 802.3, bit by bit, without the sign.
    static func bodyCRC(_ bytes: [UInt8]) -> Int64 {
        var crc: UInt32 = 0xFFFF_FFFF
        for byte in bytes {
            crc ^= UInt32(byte)
            for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0xEDB8_8320 : crc >> 1 }
        }
        return Int64(~crc & 0x7FFF_FFFF)
    }

    static func name(_ offset: Int) -> String {
        String(repeating: "0", count: 20 - String(offset).count) + String(offset)
    }

    /// Writes into a file of full length, most of which stays a hole.
    static func write(_ pieces: [(at: Int, bytes: [UInt8])], length: Int, to url: URL) throws {
        try FileManager.default.createDirectory(
            at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data().write(to: url)
        let handle = try FileHandle(forWritingTo: url)
        try handle.truncate(atOffset: UInt64(length))
        for piece in pieces {
            try handle.seek(toOffset: UInt64(piece.at))
            try handle.write(contentsOf: Data(piece.bytes))
        }
        try handle.close()
    }

    static func read(_ url: URL, at offset: Int = 0, count: Int) throws -> [UInt8] {
        let handle = try FileHandle(forReadingFrom: url)
        defer { try? handle.close() }
        try handle.seek(toOffset: UInt64(offset))
        return Array(try handle.read(upToCount: count) ?? Data())
    }
}

/// A message record, field by field in the order of the file.
struct StockRecord: Equatable {
    var topic: String
    var queueID: Int32 = 0
    var queueOffset: Int64 = 0
    var sysFlag: Int32 = 0
    var bornTimestamp: Int64 = 1_795_225_565_000
    var storeTimestamp: Int64 = 1_795_225_565_100
    var reconsumeTimes: Int32 = 0
    var preparedOffset: Int64 = 0
    var body: String
    /// In the order of the text.
    var properties: [[String]]
    var physicalOffset: Int64 = 0

    static let magic: Int64 = 0xDAA3_20A7
    static let blank: Int64 = 0xCBD4_3194

    var propertiesText: String { properties.map { $0.joined(separator: "\u{1}") }.joined(separator: "\u{2}") }

    var tagsCode: Int64 {
        properties.first { $0[0] == "TAGS" }.map { Int64(StockBytes.javaHash($0[1])) } ?? 0
    }

    /// UNIQ_KEY first, then KEYS split at spaces.
    var keys: [String] {
        let unique = properties.first { $0[0] == "UNIQ_KEY" }.map { [$0[1]] } ?? []
        let keys = properties.first { $0[0] == "KEYS" }.map { $0[1].split(separator: " ").map(String.init) } ?? []
        return unique + keys
    }

    var bytes: [UInt8] {
        let body = Array(body.utf8)
        let topic = Array(topic.utf8)
        let properties = Array(propertiesText.utf8)
        var rest: [UInt8] = []
        rest += StockBytes.integer(Self.magic, bytes: 4)
        rest += StockBytes.integer(StockBytes.bodyCRC(body), bytes: 4)
        rest += StockBytes.integer(Int64(queueID), bytes: 4)
        rest += StockBytes.integer(0, bytes: 4)
        rest += StockBytes.integer(queueOffset, bytes: 8)
        rest += StockBytes.integer(physicalOffset, bytes: 8)
        rest += StockBytes.integer(Int64(sysFlag), bytes: 4)
        rest += StockBytes.integer(bornTimestamp, bytes: 8)
        rest += [127, 0, 0, 1] + StockBytes.integer(47332, bytes: 4)
        rest += StockBytes.integer(storeTimestamp, bytes: 8)
        rest += [127, 0, 0, 2] + StockBytes.integer(20911, bytes: 4)
        rest += StockBytes.integer(Int64(reconsumeTimes), bytes: 4)
        rest += StockBytes.integer(preparedOffset, bytes: 8)
        rest += StockBytes.integer(Int64(body.count), bytes: 4) + body
        rest += [UInt8(topic.count)] + topic
        rest += StockBytes.integer(Int64(properties.count), bytes: 2) + properties
        return StockBytes.integer(Int64(rest.count + 4), bytes: 4) + rest
    }
}
