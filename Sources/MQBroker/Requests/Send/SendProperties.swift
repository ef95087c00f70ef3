import MQProtocol
package import NIOCore

/// What the broker looks at in the properties of a message that is sent to it: found in one pass over the text, and
/// kept as places in that text.
package struct SendProperties: Sendable {
    /// `WAIT` is not `false`: the sender wants to hear when the message is safe.
    package private(set) var waits = true
    /// `TRAN_MSG` is `true`, in letters of any case, as Java reads it.
    package private(set) var isHalf = false
    /// One of the properties that ask for a delay is there, in nearly no message.
    private var mentionsDelay = false
    /// The `WAIT` item, name and value.
    private var waitItem: Range<Int>?
    /// Where a stored half message really belongs: the topic's name, and the queue.
    private(set) var realTopic: Range<Int>?
    private(set) var realQueueID: Int32?
    /// Of a half message: its producer group, its key and the seconds before its first check.
    private(set) var group: Range<Int>?
    private(set) var uniqueKey: Range<Int>?
    private(set) var immunity: Range<Int>?

    package init(_ text: borrowing ByteBuffer) {
        let bytes = text.readableBytesUInt8Span
        PropertyScan.forEach(in: bytes, range: 0..<bytes.count) { name, value in note(name, value, bytes) }
    }

    /// Names are compared as big-endian words. In this order: `WAIT`, `PGROUP`, `UNIQ_KEY`, `TRAN_MSG`, `REAL_QID`,
    /// `REAL_TOPIC`.
    private mutating func note(_ name: Range<Int>, _ value: Range<Int>, _ bytes: Span<UInt8>) {
        func word() -> UInt64 { bytes.bigEndian(UInt64.self, at: name.lowerBound) }
        switch name.count {
        case 4 where bytes.bigEndian(UInt32.self, at: name.lowerBound) == 0x5741_4954:
            waitItem = name.lowerBound..<value.upperBound
            waits = !PropertyScan.equal(bytes, value, "false")
        case 5: mentionsDelay = mentionsDelay || PropertyScan.equal(bytes, name, PropertyName.delayLevel)
        // Separator and value follow the name.
        case 6 where word() >> 16 == 0x5047_524F_5550: group = value
        case 8: note(word(), value, bytes)
        case 10 where word() == 0x5245_414C_5F54_4F50 && bytes[name.upperBound - 1] == UInt8(ascii: "C"):
            realTopic = value
        case 30 where PropertyScan.equal(bytes, name, PropertyName.checkImmunitySeconds): immunity = value
        case 9...: mentionsDelay = mentionsDelay || Self.isTimer(word())
        default: break
        }
    }

    private mutating func note(_ name: UInt64, _ value: Range<Int>, _ bytes: Span<UInt8>) {
        switch name {
        case 0x554E_4951_5F4B_4559: uniqueKey = value
        case 0x5452_414E_5F4D_5347: isHalf = isTrue(bytes, from: value.lowerBound, to: value.upperBound)
        case 0x5245_414C_5F51_4944: realQueueID = PropertyScan.integer(bytes, value).flatMap(Int32.init(exactly:))
        default: break
        }
    }

    /// Whether a name begins with `TIMER_`, as all that ask for an arbitrary delay do.
    private static func isTimer(_ name: UInt64) -> Bool { name >> 16 == 0x5449_4D45_525F }

    /// What `text`, from which this was read, asks for; nil when it asks for no delay.
    package func delay(in text: ByteBuffer) -> DelayProperties? {
        guard mentionsDelay else { return nil }
        var asked = DelayProperties()
        let bytes = text.readableBytesUInt8Span
        PropertyScan.forEach(in: bytes, range: 0..<bytes.count) { name, value in
            Self.readDelay(name, value, bytes, into: &asked)
        }
        return asked.isEmpty ? nil : asked
    }

    private static func readDelay(
        _ name: Range<Int>, _ value: Range<Int>, _ bytes: Span<UInt8>, into asked: inout DelayProperties
    ) {
        func isName(_ text: String) -> Bool { PropertyScan.equal(bytes, name, text) }
        if isName(PropertyName.delayLevel) {
            asked.level = PropertyScan.integer(bytes, value)
        } else if isName(PropertyName.timerDelaySeconds) {
            asked.seconds = text(bytes, value)
        } else if isName(PropertyName.timerDelayMilliseconds) {
            asked.milliseconds = text(bytes, value)
        } else if isName(PropertyName.timerDeliverMilliseconds) {
            asked.deliverAt = text(bytes, value)
        } else if isName(PropertyName.timerOutMilliseconds) {
            asked.isTimedAlready = true
        } else if isName(PropertyName.timerDeleteUniqueKey) {
            asked.isCancel = true
        }
    }

    private static func text(_ bytes: Span<UInt8>, _ range: Range<Int>) -> String {
        String(decoding: range.map { bytes[$0] }, as: UTF8.self)
    }

    /// Takes the `WAIT` item out of the text that this was read from, as a plain message is stored: the wish was obeyed
    /// and is of no more use. The places in the text are void then.
    package func removeWait(from text: inout ByteBuffer) {
        guard let waitItem else { return }
        let start = text.readerIndex
        // One separator goes with the item: the one behind it, or the one before it when it is the last.
        let next = waitItem.upperBound + 1
        let rest = text.readableBytes - next
        guard rest > 0 else {
            return text.moveWriterIndex(to: start + max(0, waitItem.lowerBound - 1))
        }
        // Cannot fail: both ranges are inside of the text.
        _ = try? text.copyBytes(at: start + next, to: start + waitItem.lowerBound, length: rest)
        text.moveWriterIndex(to: start + waitItem.lowerBound + rest)
    }
}

extension ByteBuffer {
    /// Appends one property to property text, with a separator when one is missing.
    mutating func appendProperty(_ name: String, _ value: String) {
        separateProperties()
        writeString(name)
        writeInteger(PropertyScan.nameEnd)
        writeString(value)
    }

    /// Ends the last item of property text, when there is one that is not ended.
    mutating func separateProperties() {
        if readableBytes > 0, getInteger(at: writerIndex - 1, as: UInt8.self) != PropertyScan.itemEnd {
            writeInteger(PropertyScan.itemEnd)
        }
    }

    /// Appends where a half or delayed message really belongs.
    mutating func appendRealPlace(topic: String, queueID: Int32) {
        appendProperty(PropertyName.realTopic, topic)
        appendProperty(PropertyName.realQueueID, String(queueID))
    }
}
