package import NIOCore

/// One message of a batch body (request code 320); the rest of it is in the request's header.
package struct BatchItem: Hashable, Sendable {
    package var flag: Int32
    /// Never compressed.
    package var body: ByteBuffer
    /// Property text of this message alone; that of the request follows it in the record: the last of a name wins.
    package var properties: ByteBuffer

    /// Bytes of an item besides body and properties.
    package static let fixedBytes = 22

    package init(flag: Int32 = 0, body: ByteBuffer, properties: ByteBuffer) {
        self.flag = flag
        self.body = body
        self.properties = properties
    }

    package var encodedBytes: Int { Self.fixedBytes + body.readableBytes + properties.readableBytes }

    /// Appends the item. Magic and CRC are 0: nobody looks at them.
    ///
    /// - Throws: `propertiesTooLong`, `recordTooLong` for an item that the format cannot carry.
    package func write(to buffer: inout ByteBuffer) throws(RecordError) {
        guard properties.readableBytes <= RecordLayout.maximumPropertiesBytes else {
            throw RecordError(.propertiesTooLong, "\(properties.readableBytes) bytes of properties, more than 32767")
        }
        guard let total = Int32(exactly: encodedBytes) else {
            throw RecordError(.recordTooLong, "a batch item of \(encodedBytes) bytes")
        }
        buffer.writeMultipleIntegers(total, Int32(0), Int32(0), flag, Int32(body.readableBytes))
        buffer.writeImmutableBuffer(body)
        buffer.writeInteger(Int16(properties.readableBytes))
        buffer.writeImmutableBuffer(properties)
    }

    /// The items of a batch body: slices of it, in order. The item's total size, magic and CRC are not looked at, as
    /// stock brokers do not.
    ///
    /// - Throws: `truncated` when an item ends behind the body, `malformed` for a negative length.
    package static func decode(_ batch: ByteBuffer) throws(RecordError) -> [BatchItem] {
        var rest = batch
        var items: [BatchItem] = []
        while rest.readableBytes > 0 {
            items.append(try BatchItem(reading: &rest))
        }
        return items
    }

    private init(reading buffer: inout ByteBuffer) throws(RecordError) {
        let head = buffer.readMultipleIntegers(as: (Int32, Int32, Int32, Int32, Int32).self)
        guard let (_, _, _, flag, bodyBytes) = head else {
            throw RecordError(.truncated, "a batch item of \(buffer.readableBytes) bytes")
        }
        guard bodyBytes >= 0 else { throw RecordError(.malformed, "a batch item with a body of \(bodyBytes) bytes") }
        guard let body = buffer.readSlice(length: Int(bodyBytes)),
            let propertyBytes = buffer.readInteger(as: Int16.self)
        else {
            throw RecordError(.truncated, "a batch item's body of \(bodyBytes) bytes, \(buffer.readableBytes) left")
        }
        guard propertyBytes >= 0 else {
            throw RecordError(.malformed, "a batch item with properties of \(propertyBytes) bytes")
        }
        guard let properties = buffer.readSlice(length: Int(propertyBytes)) else {
            throw RecordError(.truncated, "\(propertyBytes) bytes of properties, \(buffer.readableBytes) left")
        }
        self.init(flag: flag, body: body, properties: properties)
    }
}
