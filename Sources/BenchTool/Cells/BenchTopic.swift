import NIOCore

/// The topic every cell writes to, and the frames that write to it.
enum BenchTopic {
    static let name = "BenchTopic"
    static let queues = 8
    static let group = "PG_bench"

    /// One message with the properties that a stock producer gives it.
    static func sendTemplate(bodyBytes: Int, encoding: WireEncoding, isHalf: Bool = false) -> FrameTemplate {
        var properties = [("UNIQ_KEY", uniqueID), ("WAIT", "true")]
        if isHalf { properties += [("TRAN_MSG", "true"), ("PGROUP", group)] }
        let body = ByteBuffer(repeating: UInt8(ascii: "x"), count: bodyBytes)
        return FrameTemplate(
            code: 310,
            fields: fields(properties: properties, systemFlag: isHalf ? 4 : 0, isBatch: false),
            body: body, encoding: encoding, queueField: "e")
    }

    /// A batch. Its unique ids are the same in every frame except the outer one: they are indexed all the same.
    static func batchTemplate(bodyBytes: Int, encoding: WireEncoding) -> FrameTemplate {
        var body = ByteBuffer()
        for item in 0..<Cell.batchSize {
            let properties = "UNIQ_KEY\u{1}FD00000000000000\(padded(item, width: 16, offset: 7))\u{2}WAIT\u{1}true"
            body.writeInteger(Int32(22 + bodyBytes + properties.utf8.count))
            body.writeMultipleIntegers(Int32(0), Int32(0), Int32(0), Int32(bodyBytes))
            body.writeRepeatingByte(UInt8(ascii: "x"), count: bodyBytes)
            body.writeInteger(Int16(properties.utf8.count))
            body.writeString(properties)
        }
        return FrameTemplate(
            code: 320, fields: fields(properties: [("WAIT", "true")], systemFlag: 0, isBatch: true),
            body: body, encoding: encoding, queueField: "e")
    }

    private static let uniqueID = "FD00000000000000" + FrameTemplate.uniqueMark

    private static func padded(_ number: Int, width: Int, offset: Int) -> String {
        let digits = String(number + 1000 * offset)
        return String(repeating: "0", count: width - digits.count) + digits
    }

    private static func fields(
        properties: [(String, String)], systemFlag: Int, isBatch: Bool
    ) -> [(String, String)] {
        let text = properties.map { "\($0.0)\\u0001\($0.1)" }.joined(separator: "\\u0002")
        return [
            ("a", group), ("b", name), ("c", "TBW102"), ("d", "4"), ("e", FrameTemplate.queueMark),
            ("f", String(systemFlag)), ("g", FrameTemplate.bornTimestampMark), ("h", "0"), ("i", text), ("j", "0"),
            ("k", "false"), ("m", String(isBatch)),
        ]
    }
}
