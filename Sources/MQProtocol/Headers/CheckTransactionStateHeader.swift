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
