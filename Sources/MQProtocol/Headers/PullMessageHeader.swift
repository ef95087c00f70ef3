import NIOCore

/// The bits of a pull's `sysFlag`.
package struct PullFlags: OptionSet, Hashable, Sendable {
    package let rawValue: Int32

    package init(rawValue: Int32) {
        self.rawValue = rawValue
    }

    /// The broker stores `commitOffset`.
    package static let commitOffset = PullFlags(rawValue: 1)
    /// The broker may hold the request while there is nothing to answer.
    package static let suspend = PullFlags(rawValue: 2)
    /// The filter is in the request instead of the heartbeat.
    package static let subscription = PullFlags(rawValue: 4)
    package static let classFilter = PullFlags(rawValue: 8)
    package static let litePull = PullFlags(rawValue: 16)
}

/// PULL_MESSAGE (11) and LITE_PULL_MESSAGE (361).
package struct PullMessageHeader: CommandHeader, Hashable {
    package var consumerGroup: String
    package var topic: String
    package var queueID: Int32
    package var queueOffset: QueueOffset
    /// Clients send 32.
    package var maximumMessages: Int32
    package var flags: PullFlags
    /// Stored when ``PullFlags/commitOffset`` is set.
    package var commitOffset: QueueOffset
    /// How long the broker may hold the request; clients send 15000.
    package var suspendMilliseconds: Int64
    package var subscription: String?
    package var subscriptionVersion: Int64
    /// `TAG` or `SQL92`; absent means TAG.
    package var expressionType: String?
    /// Of 5.x clients; absent means the broker's own limit.
    package var maximumBytes: Int32?
    /// Written for stock peers, not read.
    package var brokerName: String?

    package init(
        consumerGroup: String,
        topic: String,
        queueID: Int32,
        queueOffset: QueueOffset,
        maximumMessages: Int32 = 32,
        flags: PullFlags = [],
        commitOffset: QueueOffset = .zero,
        suspendMilliseconds: Int64 = 0,
        subscription: String? = nil,
        subscriptionVersion: Int64 = 0,
        expressionType: String? = "TAG",
        maximumBytes: Int32? = nil,
        brokerName: String? = nil
    ) {
        self.consumerGroup = consumerGroup
        self.topic = topic
        self.queueID = queueID
        self.queueOffset = queueOffset
        self.maximumMessages = maximumMessages
        self.flags = flags
        self.commitOffset = commitOffset
        self.suspendMilliseconds = suspendMilliseconds
        self.subscription = subscription
        self.subscriptionVersion = subscriptionVersion
        self.expressionType = expressionType
        self.maximumBytes = maximumBytes
        self.brokerName = brokerName
    }
}

// MARK: - Reading

extension PullMessageHeader {
    package init(_ fields: HeaderFields) throws(HeaderError) {
        self.init(consumerGroup: "", topic: "", queueID: 0, queueOffset: .zero, expressionType: nil)
        var seen: UInt16 = 0
        var scanner = FieldScanner(fields.bytes.readableBytesUInt8Span, fields.encoding)
        while scanner.next() {
            guard scanner.hasValue, let bit = try read(scanner, fields) else { continue }
            seen |= 1 << bit
        }
        for (bit, name) in Self.mandatory where seen & 1 << bit == 0 {
            throw HeaderError(.missingField, name)
        }
    }

    private static let mandatory: [(UInt16, String)] = [
        (0, "consumerGroup"), (1, "topic"), (2, "queueId"), (3, "queueOffset"), (4, "maxMsgNums"), (5, "sysFlag"),
        (6, "commitOffset"), (7, "suspendTimeoutMillis"), (8, "subVersion"),
    ]

    /// Sets one member; returns the bit of a mandatory one, nil for all others.
    private mutating func read(
        _ scanner: borrowing FieldScanner,
        _ fields: HeaderFields
    ) throws(HeaderError) -> UInt16? {
        switch scanner.keyLength {
        case 13 where scanner.isKey("consumerGroup"):
            consumerGroup = fields.string(scanner.value)
            return 0
        case 5 where scanner.isKey("topic"):
            topic = fields.string(scanner.value)
            return 1
        case 7 where scanner.isKey("queueId"):
            queueID = try scanner.int32()
            return 2
        case 11 where scanner.isKey("queueOffset"):
            queueOffset = QueueOffset(rawValue: try scanner.int64())
            return 3
        case 10 where scanner.isKey("maxMsgNums"):
            maximumMessages = try scanner.int32()
            return 4
        case 7 where scanner.isKey("sysFlag"):
            flags = PullFlags(rawValue: try scanner.int32())
            return 5
        case 12 where scanner.isKey("commitOffset"):
            commitOffset = QueueOffset(rawValue: try scanner.int64())
            return 6
        case 20 where scanner.isKey("suspendTimeoutMillis"):
            suspendMilliseconds = try scanner.int64()
            return 7
        case 10 where scanner.isKey("subVersion"):
            subscriptionVersion = try scanner.int64()
            return 8
        case 12 where scanner.isKey("subscription"): subscription = fields.string(scanner.value)
        case 14 where scanner.isKey("expressionType"): expressionType = fields.string(scanner.value)
        case 11 where scanner.isKey("maxMsgBytes"): maximumBytes = try scanner.int32()
        default: break
        }
        return nil
    }
}

// MARK: - Writing

extension PullMessageHeader {
    package func write(to writer: inout FieldWriter) {
        writer.write("consumerGroup", consumerGroup)
        writer.write("topic", topic)
        writer.write("queueId", queueID)
        writer.write("queueOffset", queueOffset)
        writer.write("maxMsgNums", maximumMessages)
        writer.write("sysFlag", flags.rawValue)
        writer.write("commitOffset", commitOffset)
        writer.write("suspendTimeoutMillis", suspendMilliseconds)
        writer.write("subscription", subscription)
        writer.write("subVersion", subscriptionVersion)
        writer.write("expressionType", expressionType)
        writer.write("maxMsgBytes", maximumBytes)
        writer.write("bname", brokerName)
    }
}
