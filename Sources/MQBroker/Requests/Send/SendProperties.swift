import MQProtocol
package import NIOCore

/// What the broker looks at in the properties of a message that is sent to it, read in one pass over the text.
package struct SendProperties: Sendable {
    /// `WAIT` is not `false`: the sender wants to hear when the message is safe.
    package private(set) var waits = true
    /// `TRAN_MSG` is `true`.
    package private(set) var isHalf = false
    package private(set) var delay = DelayProperties()
    /// The `WAIT` item, name and value.
    private var waitItem: Range<Int>?

    package init(_ text: ByteBuffer) {
        let bytes = text.readableBytesUInt8Span
        PropertyScan.forEach(in: bytes, range: 0..<bytes.count) { name, value in
            switch bytes[name.lowerBound] {
            case UInt8(ascii: "W"), UInt8(ascii: "D"), UInt8(ascii: "T"): read(name, value, bytes)
            default: break
            }
        }
    }

    private mutating func read(_ name: Range<Int>, _ value: Range<Int>, _ bytes: Span<UInt8>) {
        func isName(_ text: String) -> Bool { PropertyScan.equal(bytes, name, text) }
        if isName(PropertyName.waitStored) {
            waitItem = name.lowerBound..<value.upperBound
            waits = !PropertyScan.equal(bytes, value, "false")
        } else if isName(PropertyName.delayLevel) {
            delay.level = PropertyScan.integer(bytes, value)
        } else if isName(PropertyName.transactionPrepared) {
            isHalf = PropertyScan.equal(bytes, value, "true")
        } else if isName(PropertyName.timerDelaySeconds) {
            delay.seconds = Self.text(bytes, value)
        } else if isName(PropertyName.timerDelayMilliseconds) {
            delay.milliseconds = Self.text(bytes, value)
        } else if isName(PropertyName.timerDeliverMilliseconds) {
            delay.deliverAt = Self.text(bytes, value)
        } else if isName(PropertyName.timerOutMilliseconds) {
            delay.isTimedAlready = true
        } else if isName(PropertyName.timerDeleteUniqueKey) {
            delay.isCancel = true
        }
    }

    private static func text(_ bytes: Span<UInt8>, _ range: Range<Int>) -> String {
        String(decoding: range.map { bytes[$0] }, as: UTF8.self)
    }

    /// The text without its `WAIT` item, as a plain message is stored: the wish was obeyed and is of no more use.
    package func withoutWait(_ text: ByteBuffer, into buffer: inout ByteBuffer) {
        guard let waitItem else {
            buffer.writeImmutableBuffer(text)
            return
        }
        let start = text.readerIndex
        let before = text.getSlice(at: start, length: waitItem.lowerBound) ?? ByteBuffer()
        // One separator goes with the item: the one behind it, or the one before it when it is the last.
        let next = min(waitItem.upperBound + 1, text.readableBytes)
        let after = text.getSlice(at: start + next, length: text.readableBytes - next) ?? ByteBuffer()
        if after.readableBytes == 0, before.readableBytes > 0 {
            buffer.writeImmutableBuffer(
                before.getSlice(at: before.readerIndex, length: before.readableBytes - 1) ?? before)
        } else {
            buffer.writeImmutableBuffer(before)
            buffer.writeImmutableBuffer(after)
        }
    }
}

extension ByteBuffer {
    /// Appends one property to property text, with a separator when one is missing.
    mutating func appendProperty(_ name: String, _ value: String) {
        if readableBytes > 0, getInteger(at: writerIndex - 1, as: UInt8.self) != PropertyScan.itemEnd {
            writeInteger(PropertyScan.itemEnd)
        }
        writeString(name)
        writeInteger(PropertyScan.nameEnd)
        writeString(value)
    }

    /// Appends where a half or delayed message really belongs.
    mutating func appendRealPlace(topic: String, queueID: Int32) {
        appendProperty(PropertyName.realTopic, topic)
        appendProperty(PropertyName.realQueueID, String(queueID))
    }
}
