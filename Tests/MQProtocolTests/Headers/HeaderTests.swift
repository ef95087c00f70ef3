import NIOCore
import Testing

@testable import MQProtocol

@Suite struct HeaderTests {
    private static func fields(_ pairs: [(String, String)], _ encoding: HeaderEncoding) throws -> HeaderFields {
        var buffer = ByteBuffer()
        buffer.writeRequest(.heartbeat, opaque: 0, encoding: encoding, header: EmptyHeader(), extra: pairs)
        return try FrameVectorTests.decode(buffer.hexText).fields
    }

    private func roundTrip(_ header: some CommandHeader & Equatable) throws {
        for encoding in [HeaderEncoding.json, .binary] {
            var buffer = ByteBuffer()
            buffer.writeRequest(.heartbeat, opaque: 0, encoding: encoding, header: header)
            #expect(try type(of: header).init(try FrameVectorTests.decode(buffer.hexText).fields) == header)
        }
    }

    /// Every field set to a number's text reads as string, number and boolean; writing it again changes nothing.
    @Test(arguments: HeaderCatalog.types.indices)
    func everyHeaderReadsWhatItWrites(_ index: Int) throws {
        let type = HeaderCatalog.types[index]
        for encoding in [HeaderEncoding.json, .binary] {
            let names = Self.allNames.map { ($0, "7") }
            let header = try type.init(try Self.fields(names, encoding))
            var first = ByteBuffer()
            first.writeRequest(.heartbeat, opaque: 0, encoding: encoding, header: header)
            let frame = try FrameVectorTests.decode(first.hexText)
            #expect(!frame.fields.isEmpty)
            var second = ByteBuffer()
            second.writeRequest(.heartbeat, opaque: 0, encoding: encoding, header: try type.init(frame.fields))
            #expect(first == second)
        }
    }

    private static let allNames = [
        "a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "producerGroup", "topic", "defaultTopic",
        "defaultTopicQueueNums", "queueId", "sysFlag", "bornTimestamp", "flag", "properties", "reconsumeTimes",
        "unitMode", "maxReconsumeTimes", "batch", "consumerGroup", "queueOffset", "maxMsgNums", "commitOffset",
        "suspendTimeoutMillis", "subVersion", "tranStateTableOffset", "commitLogOffset", "commitOrRollback", "msgId",
        "suggestWhichBrokerId", "nextBeginOffset", "minOffset", "maxOffset", "offset", "timestamp", "group",
        "delayLevel", "clientID", "clientId", "isForce", "bornHost", "storeHost", "storeTimestamp", "key", "maxNum",
        "beginTimestamp", "endTimestamp", "index", "count", "namespace", "value", "brokerName", "wipeTopicCount",
        "addTopicCount", "cluster", "brokerAddr", "clusterName", "haServerAddr", "brokerId", "changed",
        "readQueueNums", "writeQueueNums", "perm", "groupName", "compareGroup", "srcGroup", "destGroup", "version",
        "statsName", "statsKey", "isOrder", "queueOffset",
    ]

    @Test func sendHeaderInBothSpellings() throws {
        var header = SendMessageHeader(
            producerGroup: "PG",
            topic: "T",
            queueID: -1,
            sysFlag: SysFlag(rawValue: 0x301),
            bornTimestamp: Timestamp(milliseconds: 1_700_000_000_001),
            flag: 5,
            properties: ByteBuffer(string: "KEYS\u{1}a\"b\\\u{2}TAGS\u{1}标签"),
            reconsumeTimes: 2,
            unitMode: true,
            maximumReconsumeTimes: 3,
            isBatch: true
        )
        try roundTrip(header)
        for encoding in [HeaderEncoding.json, .binary] {
            header.usesLongNames = true
            var buffer = ByteBuffer()
            buffer.writeRequest(.sendMessage, opaque: 0, encoding: encoding, header: header)
            var read = try SendMessageHeader(try FrameVectorTests.decode(buffer.hexText).fields)
            read.usesLongNames = true
            #expect(read == header)
        }
    }

    @Test func newerSendersLeaveSwitchesOut() throws {
        let pairs = [
            ("a", "P"), ("b", "T"), ("c", "TBW102"), ("d", "4"), ("e", "0"), ("f", "0"), ("g", "1"), ("h", "0"),
        ]
        let header = try SendMessageHeader(try Self.fields(pairs + [("ns", "x"), ("lo", "1")], .json))
        #expect(!header.unitMode && !header.isBatch)
        #expect(header.reconsumeTimes == 0)
        #expect(header.properties.readableBytes == 0)
    }

    private func error<Header: CommandHeader>(_ type: Header.Type, _ pairs: [(String, String)]) throws -> HeaderError? {
        var found: HeaderError?
        for encoding in [HeaderEncoding.json, .binary] {
            let fields = try Self.fields(pairs, encoding)
            do {
                _ = try Header(fields)
                return nil
            } catch {
                #expect(found == nil || found == error)
                found = error
            }
        }
        return found
    }

    @Test func errorsNameTheField() throws {
        #expect(try error(SendMessageHeader.self, []) == HeaderError(.missingField, "producerGroup"))
        #expect(try error(SendMessageHeader.self, [("d", "x")]) == HeaderError(.invalidNumber, "d"))
        #expect(try error(PullMessageHeader.self, [("consumerGroup", "g")]) == HeaderError(.missingField, "topic"))
        let tooLarge = try error(PullMessageHeader.self, [("queueId", "2147483648")])
        #expect(tooLarge == HeaderError(.invalidNumber, "queueId"))
        #expect(try error(EndTransactionHeader.self, []) == HeaderError(.missingField, "producerGroup"))
        #expect(try error(QueueHeader.self, [("topic", "t")]) == HeaderError(.missingField, "queueId"))
        let noNumber = try error(QueueHeader.self, [("topic", "t"), ("queueId", "1x")])
        #expect(noNumber == HeaderError(.invalidNumber, "queueId"))
        #expect(
            try error(UpdateConsumerOffsetHeader.self, [("consumerGroup", "g"), ("topic", "t"), ("queueId", "1")])
                == HeaderError(.missingField, "commitOffset")
        )
    }

    @Test func badNumbersInOptionalFieldsCountAsAbsent() throws {
        let fields = try Self.fields([("topic", "t"), ("group", "g"), ("maxReconsumeTimes", "x")], .json)
        #expect(fields.int32("maxReconsumeTimes") == nil)
    }

    @Test func typicalHeaders() throws {
        try roundTrip(
            EndTransactionHeader(
                producerGroup: "PG", queueOffset: QueueOffset(rawValue: 3), logOffset: LogOffset(rawValue: 1903),
                verdict: 12, fromTransactionCheck: true, messageID: "ID", transactionID: "TX"
            ))
        try roundTrip(
            CheckTransactionStateHeader(
                queueOffset: .zero, logOffset: .zero, messageID: "ID", transactionID: nil, offsetMessageID: "O"
            ))
        try roundTrip(
            UpdateConsumerOffsetHeader(
                consumerGroup: "G", topic: "%RETRY%G", queueID: 0, commitOffset: QueueOffset(rawValue: .max)
            ))
        try roundTrip(
            RegisterBrokerHeader(
                brokerName: "b", brokerAddress: "127.0.0.1:1", clusterName: "c", haServerAddress: "127.0.0.1:2",
                brokerID: 0, isCompressed: true, bodyCRC: 7
            ))
        try roundTrip(CreateTopicHeader(topic: "T", readQueueCount: 4, writeQueueCount: 4, permission: 6))
        try roundTrip(
            QueryMessageHeader(
                topic: "T", key: "k", maximum: 64, begin: .zero, end: Timestamp(milliseconds: .max), isUniqueKey: true
            ))
    }
}
