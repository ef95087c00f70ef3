package import NIOCore

/// The answer to the send of one message, of which a broker writes more than of anything else.
package struct SendAnswer {
    package var id: OffsetMessageID
    package var queueID: Int32
    /// Of the half topic's queue for a half message.
    package var queueOffset: QueueOffset
    package var region: String
    package var traceOn: Bool

    package init(id: OffsetMessageID, queueID: Int32, queueOffset: QueueOffset, region: String, traceOn: Bool) {
        self.id = id
        self.queueID = queueID
        self.queueOffset = queueOffset
        self.region = region
        self.traceOn = traceOn
    }

    package var header: SendMessageResponseHeader {
        SendMessageResponseHeader(
            messageIDs: .one(id), queueID: queueID, queueOffset: queueOffset, region: region, traceOn: traceOn)
    }
}

extension ByteBuffer {
    /// Appends the answer that says that the message is stored. Same bytes as
    /// ``writeResponse(_:to:remark:header:body:extra:)``; the usual form is written in one go.
    package mutating func writeAnswer(_ answer: borrowing SendAnswer, to request: ReplyTo) {
        guard request.encoding == .json, case .v4(let address) = answer.id.host.ip,
            answer.region == "DefaultRegion", answer.traceOn
        else { return writeResponse(.success, to: request, header: answer.header) }
        let start = writerIndex
        reserveCapacity(minimumWritableBytes: AnswerText.room)
        moveWriterIndex(forwardBy: AnswerText.room)
        let place = start - readerIndex
        var output = mutableReadableBytesSpan
        var position = place + 8
        output.append(AnswerText.head.span, at: &position)
        output.append(Hex.digits(address), at: &position)
        output.append(Hex.digits(UInt32(bitPattern: answer.id.host.port)), at: &position)
        let offset = UInt64(bitPattern: answer.id.offset.rawValue)
        output.append(Hex.digits(UInt32(truncatingIfNeeded: offset >> 32)), at: &position)
        output.append(Hex.digits(UInt32(truncatingIfNeeded: offset)), at: &position)
        output.append(AnswerText.queueID.span, at: &position)
        output.appendDecimal(Int64(answer.queueID), at: &position)
        output.append(AnswerText.queueOffset.span, at: &position)
        output.appendDecimal(answer.queueOffset.rawValue, at: &position)
        output.append(AnswerText.opaque.span, at: &position)
        output.appendDecimal(Int64(request.opaque), at: &position)
        output.append(AnswerText.tail.span, at: &position)
        let length = position - place
        var word = place
        output.append(UInt32(length - 4), at: &word)
        output.append(UInt32(length - 8), at: &word)
        moveWriterIndex(to: start + length)
    }
}

extension ByteBuffer {
    /// Appends the answer that says that a verdict is stored. Same bytes as
    /// ``writeResponse(_:to:remark:header:body:extra:)``.
    package mutating func writeAccepted(_ request: ReplyTo) {
        guard request.encoding == .json else {
            return writeResponse(.success, to: request, header: EndTransactionResponseHeader(.accepted))
        }
        let start = writerIndex
        reserveCapacity(minimumWritableBytes: AcceptedText.room)
        moveWriterIndex(forwardBy: AcceptedText.room)
        let place = start - readerIndex
        var output = mutableReadableBytesSpan
        var position = place + 8
        output.append(AcceptedText.head.span, at: &position)
        output.appendDecimal(Int64(request.opaque), at: &position)
        output.append(AnswerText.tail.span, at: &position)
        let length = position - place
        var word = place
        output.append(UInt32(length - 4), at: &word)
        output.append(UInt32(length - 8), at: &word)
        moveWriterIndex(to: start + length)
    }
}

/// What does not change in the answer to a verdict.
private enum AcceptedText {
    static let head = Array(
        """
        {"code":0,"extFields":\
        {"\(ProtocolExtension.verdictOutcome.name)":"\(EndTransactionOutcome.accepted.rawValue)"},\
        "flag":1,"language":"OTHER","opaque":
        """.utf8)
    static let room = 8 + head.count + 20 + AnswerText.tail.count + 8
}

/// What does not change in the answer to a send.
private enum AnswerText {
    static let head = Array("{\"code\":0,\"extFields\":{\"msgId\":\"".utf8)
    static let queueID = Array("\",\"queueId\":\"".utf8)
    static let queueOffset = Array("\",\"queueOffset\":\"".utf8)
    static let opaque = Array(
        "\",\"MSG_REGION\":\"DefaultRegion\",\"TRACE_ON\":\"true\"},\"flag\":1,\"language\":\"OTHER\",\"opaque\":".utf8)
    static let tail = Array(
        ",\"serializeTypeCurrentRPC\":\"JSON\",\"version\":\(ProtocolVersion.current)}".utf8)
    /// The texts, the id, three numbers of at most 20 digits, and the seven bytes a number may overwrite.
    static let room =
        8 + head.count + 32 + queueID.count + queueOffset.count + opaque.count + tail.count + 60 + 8
}
