import NIOCore

/// END_TRANSACTION (37): a producer's verdict on a half message.
package struct EndTransactionHeader: CommandHeader, Hashable {
    package var producerGroup: String
    /// Of the half message in its queue.
    package var queueOffset: QueueOffset
    /// Of the half message in the commit log.
    package var logOffset: LogOffset
    /// 8 commit, 12 rollback, 0 unknown.
    package var verdict: Int32
    /// The answer to a check-back.
    package var fromTransactionCheck: Bool
    /// The client's unique id.
    package var messageID: String
    package var transactionID: String?
    /// Written for stock peers, not read.
    package var brokerName: String?

    package init(
        producerGroup: String,
        queueOffset: QueueOffset,
        logOffset: LogOffset,
        verdict: Int32,
        fromTransactionCheck: Bool = false,
        messageID: String = "",
        transactionID: String? = nil,
        brokerName: String? = nil
    ) {
        self.producerGroup = producerGroup
        self.queueOffset = queueOffset
        self.logOffset = logOffset
        self.verdict = verdict
        self.fromTransactionCheck = fromTransactionCheck
        self.messageID = messageID
        self.transactionID = transactionID
        self.brokerName = brokerName
    }

    package init(_ fields: HeaderFields) throws(HeaderError) {
        self.init(producerGroup: "", queueOffset: .zero, logOffset: .zero, verdict: 0)
        var seen: UInt8 = 0
        var scanner = FieldScanner(fields.bytes.readableBytesUInt8Span, fields.encoding)
        while scanner.next() {
            guard scanner.hasValue, let bit = try read(scanner, fields) else { continue }
            seen |= 1 << bit
        }
        guard seen == 0b1111 else { throw HeaderError(.missingField, Self.firstMissing(seen)) }
    }

    private static func firstMissing(_ seen: UInt8) -> String {
        let mandatory = ["producerGroup", "tranStateTableOffset", "commitLogOffset", "commitOrRollback"]
        return mandatory[min((~seen).trailingZeroBitCount, mandatory.count - 1)]
    }

    /// Sets one member; returns the bit of a mandatory one, nil for all others.
    private mutating func read(
        _ scanner: borrowing FieldScanner,
        _ fields: HeaderFields
    ) throws(HeaderError) -> UInt8? {
        switch scanner.keyLength {
        case 13 where scanner.isKey("producerGroup"):
            producerGroup = fields.string(scanner.value)
            return 0
        case 20 where scanner.isKey("tranStateTableOffset"):
            queueOffset = QueueOffset(rawValue: try scanner.int64())
            return 1
        case 15 where scanner.isKey("commitLogOffset"):
            logOffset = LogOffset(rawValue: try scanner.int64())
            return 2
        case 16 where scanner.isKey("commitOrRollback"):
            verdict = try scanner.int32()
            return 3
        case 20 where scanner.isKey("fromTransactionCheck"): fromTransactionCheck = scanner.bool
        case 5 where scanner.isKey("msgId"): messageID = fields.string(scanner.value)
        case 13 where scanner.isKey("transactionId"): transactionID = fields.string(scanner.value)
        default: break
        }
        return nil
    }

    package func write(to writer: inout FieldWriter) {
        writer.write("producerGroup", producerGroup)
        writer.write("tranStateTableOffset", queueOffset)
        writer.write("commitLogOffset", logOffset)
        writer.write("commitOrRollback", verdict)
        writer.write("fromTransactionCheck", fromTransactionCheck)
        writer.write("msgId", messageID)
        writer.write("transactionId", transactionID)
        writer.write("bname", brokerName)
    }
}
