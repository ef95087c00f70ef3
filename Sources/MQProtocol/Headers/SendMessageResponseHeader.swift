import NIOCore

/// The ids that a send answer carries: kept as values, so that the broker makes no text of them.
package enum MessageIDList: Sendable, Hashable {
    case one(OffsetMessageID)
    case many([OffsetMessageID])
    /// As received: one id, or several joined with commas.
    case text(String)

    package var text: String {
        switch self {
        case .one(let id): id.hex
        case .many(let ids): ids.map(\.hex).joined(separator: ",")
        case .text(let text): text
        }
    }
}

/// The answer to every kind of send. Success must carry the first three and the last two members: Java clients read
/// region and trace switch without looking whether they are there.
package struct SendMessageResponseHeader: CommandHeader, Hashable {
    package var messageIDs: MessageIDList?
    package var queueID: Int32?
    /// Of the first message of a batch; of the half topic's queue for a half message.
    package var queueOffset: QueueOffset?
    package var transactionID: String?
    /// Also sent with failures. Default: `DefaultRegion`.
    package var region: String?
    package var traceOn: Bool?

    package init(
        messageIDs: MessageIDList? = nil,
        queueID: Int32? = nil,
        queueOffset: QueueOffset? = nil,
        transactionID: String? = nil,
        region: String? = "DefaultRegion",
        traceOn: Bool? = true
    ) {
        self.messageIDs = messageIDs
        self.queueID = queueID
        self.queueOffset = queueOffset
        self.transactionID = transactionID
        self.region = region
        self.traceOn = traceOn
    }

    package init(_ fields: HeaderFields) throws(HeaderError) {
        messageIDs = fields.string("msgId").map(MessageIDList.text)
        queueID = fields.int32("queueId")
        queueOffset = fields.int64("queueOffset").map(QueueOffset.init(rawValue:))
        transactionID = fields.string("transactionId")
        region = fields.string("MSG_REGION")
        traceOn = fields.bool("TRACE_ON")
    }

    package func write(to writer: inout FieldWriter) {
        switch messageIDs {
        case nil: break
        case .one(let id)?: writer.writePlain("msgId") { id.write(to: &$0) }
        case .many(let ids)?: writer.writePlain("msgId") { Self.write(ids, to: &$0) }
        case .text(let text)?: writer.write("msgId", text)
        }
        writer.write("queueId", queueID)
        writer.write("queueOffset", queueOffset)
        writer.write("transactionId", transactionID)
        writer.write("MSG_REGION", region)
        writer.write("TRACE_ON", traceOn)
    }

    private static func write(_ ids: [OffsetMessageID], to buffer: inout ByteBuffer) {
        for (index, id) in ids.enumerated() {
            if index > 0 { buffer.writeInteger(UInt8(ascii: ",")) }
            id.write(to: &buffer)
        }
    }
}
