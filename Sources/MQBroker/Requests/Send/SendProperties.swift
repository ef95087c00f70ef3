import MQProtocol
package import NIOCore

/// What the broker looks at in the properties of a message that is sent to it, read in one pass over the text.
package struct SendProperties: Sendable {
    /// `WAIT` is not `false`: the sender wants to hear when the message is safe.
    package private(set) var waits = true
    /// `TRAN_MSG` is `true`, in letters of any case, as Java reads it.
    package private(set) var isHalf = false
    /// Nil when none was there, as in nearly every message.
    private var delayProperties: DelayProperties?
    /// The `WAIT` item, name and value.
    private var waitItem: Range<Int>?
    /// Where a stored half message really belongs: the place of the topic's name in the text, and the queue.
    private(set) var realTopic: Range<Int>?
    private(set) var realQueueID: Int32?

    package var delay: DelayProperties { delayProperties ?? DelayProperties() }
    package var asksForDelay: Bool { delayProperties.map { !$0.isEmpty } ?? false }

    package init(_ text: borrowing ByteBuffer) {
        let bytes = text.readableBytesUInt8Span
        PropertyScan.forEach(in: bytes, range: 0..<bytes.count) { name, value in
            switch bytes[name.lowerBound] {
            case UInt8(ascii: "W"), UInt8(ascii: "D"), UInt8(ascii: "T"): read(name, value, bytes)
            case UInt8(ascii: "R"): readPlace(name, value, bytes)
            default: break
            }
        }
    }

    private mutating func read(_ name: Range<Int>, _ value: Range<Int>, _ bytes: Span<UInt8>) {
        func isName(_ text: String) -> Bool { PropertyScan.equal(bytes, name, text) }
        if isName(PropertyName.waitStored) {
            waitItem = name.lowerBound..<value.upperBound
            waits = !PropertyScan.equal(bytes, value, "false")
        } else if isName(PropertyName.transactionPrepared) {
            isHalf = Self.isTrue(bytes.extracting(value))
        } else {
            readDelay(name, value, bytes)
        }
    }

    private mutating func readPlace(_ name: Range<Int>, _ value: Range<Int>, _ bytes: Span<UInt8>) {
        if PropertyScan.equal(bytes, name, PropertyName.realTopic) {
            realTopic = value
        } else if PropertyScan.equal(bytes, name, PropertyName.realQueueID) {
            realQueueID = PropertyScan.integer(bytes, value).flatMap(Int32.init(exactly:))
        }
    }

    private mutating func readDelay(_ name: Range<Int>, _ value: Range<Int>, _ bytes: Span<UInt8>) {
        func isName(_ text: String) -> Bool { PropertyScan.equal(bytes, name, text) }
        var asked = delay
        if isName(PropertyName.delayLevel) {
            asked.level = PropertyScan.integer(bytes, value)
        } else if isName(PropertyName.timerDelaySeconds) {
            asked.seconds = Self.text(bytes, value)
        } else if isName(PropertyName.timerDelayMilliseconds) {
            asked.milliseconds = Self.text(bytes, value)
        } else if isName(PropertyName.timerDeliverMilliseconds) {
            asked.deliverAt = Self.text(bytes, value)
        } else if isName(PropertyName.timerOutMilliseconds) {
            asked.isTimedAlready = true
        } else if isName(PropertyName.timerDeleteUniqueKey) {
            asked.isCancel = true
        } else {
            return
        }
        delayProperties = asked
    }

    private static func isTrue(_ text: Span<UInt8>) -> Bool {
        guard text.count == 4 else { return false }
        var word: UInt32 = 0
        for index in text.indices { word = word << 8 | UInt32(text[index] | 0x20) }
        return word == 0x7472_7565
    }

    private static func text(_ bytes: Span<UInt8>, _ range: Range<Int>) -> String {
        String(decoding: range.map { bytes[$0] }, as: UTF8.self)
    }

    /// Takes the `WAIT` item out of the text that this was read from, as a plain message is stored: the wish was obeyed
    /// and is of no more use.
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

    /// Appends properties that are text already.
    mutating func appendProperties(_ text: ByteBuffer) {
        separateProperties()
        writeImmutableBuffer(text)
    }

    private mutating func separateProperties() {
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
