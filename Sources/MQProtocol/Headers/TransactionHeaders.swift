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
    /// Added by stock clients; a broker ignores it.
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
        producerGroup = try fields.requiredString("producerGroup")
        queueOffset = QueueOffset(rawValue: try fields.requiredInt64("tranStateTableOffset"))
        logOffset = LogOffset(rawValue: try fields.requiredInt64("commitLogOffset"))
        verdict = try fields.requiredInt32("commitOrRollback")
        fromTransactionCheck = fields.bool("fromTransactionCheck") ?? false
        messageID = fields.string("msgId") ?? ""
        transactionID = fields.string("transactionId")
        brokerName = fields.string("bname")
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

/// CHECK_TRANSACTION_STATE (39): a broker asks for the verdict on the half message in the body.
package struct CheckTransactionStateHeader: CommandHeader, Hashable {
    /// To be echoed in the answer.
    package var queueOffset: QueueOffset
    /// To be echoed in the answer.
    package var logOffset: LogOffset
    /// The client's unique id.
    package var messageID: String?
    package var transactionID: String?
    package var offsetMessageID: String?

    package init(
        queueOffset: QueueOffset,
        logOffset: LogOffset,
        messageID: String? = nil,
        transactionID: String? = nil,
        offsetMessageID: String? = nil
    ) {
        self.queueOffset = queueOffset
        self.logOffset = logOffset
        self.messageID = messageID
        self.transactionID = transactionID
        self.offsetMessageID = offsetMessageID
    }

    package init(_ fields: HeaderFields) throws(HeaderError) {
        queueOffset = QueueOffset(rawValue: try fields.requiredInt64("tranStateTableOffset"))
        logOffset = LogOffset(rawValue: try fields.requiredInt64("commitLogOffset"))
        messageID = fields.string("msgId")
        transactionID = fields.string("transactionId")
        offsetMessageID = fields.string("offsetMsgId")
    }

    package func write(to writer: inout FieldWriter) {
        writer.write("tranStateTableOffset", queueOffset)
        writer.write("commitLogOffset", logOffset)
        writer.write("msgId", messageID)
        writer.write("transactionId", transactionID)
        writer.write("offsetMsgId", offsetMessageID)
    }
}
