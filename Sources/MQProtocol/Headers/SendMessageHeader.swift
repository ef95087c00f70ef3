package import NIOCore

/// SEND_MESSAGE (10), SEND_MESSAGE_V2 (310), SEND_BATCH_MESSAGE (320) and the replies 324 and 325.
///
/// The long and the one-letter names are both read, whatever the code says.
package struct SendMessageHeader: CommandHeader, Hashable {
    package var producerGroup: String
    package var topic: String
    /// The template for creating an unknown topic; clients send `TBW102`.
    package var defaultTopic: String
    /// Queues wanted for a topic that this message creates. Clients send 4.
    package var defaultTopicQueueCount: Int32
    /// Negative: the broker chooses.
    package var queueID: Int32
    package var sysFlag: SysFlag
    package var bornTimestamp: Timestamp
    /// The application's own number, stored as it is.
    package var flag: Int32
    /// The encoded text. Invalid UTF-8 is kept as it came.
    package var properties: ByteBuffer
    package var reconsumeTimes: Int32
    package var unitMode: Bool
    /// Nil: the group's own limit. Only `%RETRY%` topics use it.
    package var maximumReconsumeTimes: Int32?
    /// The body is a batch, whatever the code is.
    package var isBatch: Bool
    /// Written for stock peers, not read: a broker knows its name.
    package var brokerName: String?
    /// How the names are written: codes 10 and 324 need the long ones. Default: false.
    package var usesLongNames = false

    package init(
        producerGroup: String,
        topic: String,
        defaultTopic: String = "TBW102",
        defaultTopicQueueCount: Int32 = 4,
        queueID: Int32,
        sysFlag: SysFlag = SysFlag(rawValue: 0),
        bornTimestamp: Timestamp,
        flag: Int32 = 0,
        properties: ByteBuffer = ByteBuffer(),
        reconsumeTimes: Int32 = 0,
        unitMode: Bool = false,
        maximumReconsumeTimes: Int32? = nil,
        isBatch: Bool = false,
        brokerName: String? = nil
    ) {
        self.producerGroup = producerGroup
        self.topic = topic
        self.defaultTopic = defaultTopic
        self.defaultTopicQueueCount = defaultTopicQueueCount
        self.queueID = queueID
        self.sysFlag = sysFlag
        self.bornTimestamp = bornTimestamp
        self.flag = flag
        self.properties = properties
        self.reconsumeTimes = reconsumeTimes
        self.unitMode = unitMode
        self.maximumReconsumeTimes = maximumReconsumeTimes
        self.isBatch = isBatch
        self.brokerName = brokerName
    }
}

// MARK: - Reading

extension SendMessageHeader {
    package init(_ fields: HeaderFields) throws(HeaderError) {
        self.init(producerGroup: "", topic: "", defaultTopic: "", queueID: 0, bornTimestamp: .zero)
        var seen: UInt16 = 0
        var scanner = FieldScanner(fields.bytes.readableBytesUInt8Span, fields.encoding)
        while scanner.next() {
            guard scanner.hasValue else { continue }
            let letter = scanner.keyLength == 1 ? scanner.shortKey : Self.letter(of: scanner)
            guard let bit = try read(letter, scanner, fields) else { continue }
            seen |= 1 << bit
        }
        for (bit, name) in Self.mandatory where seen & 1 << bit == 0 {
            throw HeaderError(.missingField, name)
        }
    }

    private static let mandatory: [(UInt16, String)] = [
        (0, "producerGroup"), (1, "topic"), (2, "defaultTopic"), (3, "defaultTopicQueueNums"), (4, "queueId"),
        (5, "sysFlag"), (6, "bornTimestamp"), (7, "flag"),
    ]

    /// Sets one member; returns the bit of a mandatory one, nil for all others.
    private mutating func read(
        _ letter: UInt8,
        _ scanner: borrowing FieldScanner,
        _ fields: HeaderFields
    ) throws(HeaderError) -> UInt16? {
        switch letter {
        case UInt8(ascii: "a"): producerGroup = fields.string(scanner.value)
        case UInt8(ascii: "b"): topic = fields.string(scanner.value)
        case UInt8(ascii: "c"): defaultTopic = fields.string(scanner.value)
        case UInt8(ascii: "d"): defaultTopicQueueCount = try scanner.int32()
        case UInt8(ascii: "e"): queueID = try scanner.int32()
        case UInt8(ascii: "f"): sysFlag = SysFlag(rawValue: try scanner.int32())
        case UInt8(ascii: "g"): bornTimestamp = Timestamp(milliseconds: try scanner.int64())
        case UInt8(ascii: "h"): flag = try scanner.int32()
        case UInt8(ascii: "i"): properties = fields.slice(scanner.value)
        case UInt8(ascii: "j"): reconsumeTimes = try scanner.int32()
        case UInt8(ascii: "k"): unitMode = scanner.bool
        case UInt8(ascii: "l"): maximumReconsumeTimes = try scanner.int32()
        // Stock brokers read the C++ client's "1" as false and store its batch as one unreadable message.
        case UInt8(ascii: "m"): isBatch = scanner.bool || scanner.isOne
        default: return nil
        }
        return letter <= UInt8(ascii: "h") ? UInt16(letter - UInt8(ascii: "a")) : nil
    }

    /// The one-letter name that a long name stands for; 0 for fields that are not ours.
    private static func letter(of scanner: borrowing FieldScanner) -> UInt8 {
        switch scanner.keyLength {
        case 4: scanner.isKey("flag") ? UInt8(ascii: "h") : 0
        case 5: scanner.isKey("topic") ? UInt8(ascii: "b") : scanner.isKey("batch") ? UInt8(ascii: "m") : 0
        case 7: scanner.isKey("queueId") ? UInt8(ascii: "e") : scanner.isKey("sysFlag") ? UInt8(ascii: "f") : 0
        case 8: scanner.isKey("unitMode") ? UInt8(ascii: "k") : 0
        case 10: scanner.isKey("properties") ? UInt8(ascii: "i") : 0
        case 12: scanner.isKey("defaultTopic") ? UInt8(ascii: "c") : 0
        case 13:
            scanner.isKey("producerGroup")
                ? UInt8(ascii: "a") : scanner.isKey("bornTimestamp") ? UInt8(ascii: "g") : 0
        case 14: scanner.isKey("reconsumeTimes") ? UInt8(ascii: "j") : 0
        case 17: scanner.isKey("maxReconsumeTimes") ? UInt8(ascii: "l") : 0
        case 21: scanner.isKey("defaultTopicQueueNums") ? UInt8(ascii: "d") : 0
        default: 0
        }
    }
}

// MARK: - Writing

extension SendMessageHeader {
    package func write(to writer: inout FieldWriter) {
        if usesLongNames {
            writeLong(to: &writer)
        } else {
            writeShort(to: &writer)
        }
    }

    private func writeShort(to writer: inout FieldWriter) {
        writer.write("a", producerGroup)
        writer.write("b", topic)
        writer.write("c", defaultTopic)
        writer.write("d", defaultTopicQueueCount)
        writer.write("e", queueID)
        writer.write("f", sysFlag)
        writer.write("g", bornTimestamp)
        writer.write("h", flag)
        writer.write("i", text: properties)
        writer.write("j", reconsumeTimes)
        writer.write("k", unitMode)
        writer.write("l", maximumReconsumeTimes)
        writer.write("m", isBatch)
        writer.write("n", brokerName)
    }

    private func writeLong(to writer: inout FieldWriter) {
        writer.write("producerGroup", producerGroup)
        writer.write("topic", topic)
        writer.write("defaultTopic", defaultTopic)
        writer.write("defaultTopicQueueNums", defaultTopicQueueCount)
        writer.write("queueId", queueID)
        writer.write("sysFlag", sysFlag)
        writer.write("bornTimestamp", bornTimestamp)
        writer.write("flag", flag)
        writer.write("properties", text: properties)
        writer.write("reconsumeTimes", reconsumeTimes)
        writer.write("unitMode", unitMode)
        writer.write("maxReconsumeTimes", maximumReconsumeTimes)
        writer.write("batch", isBatch)
        writer.write("bname", brokerName)
    }
}
