import NIOCore

/// Writes requests whose fields differ in length from one to the next.
enum RequestWriter {
    static func write(
        code: Int, slot: Int, fields: [(String, String)], encoding: WireEncoding, into buffer: inout ByteBuffer
    ) {
        let start = buffer.writerIndex
        buffer.writeInteger(Int64(0))
        let opaque = FrameTemplate.opaqueBase &+ Int32(truncatingIfNeeded: slot)
        switch encoding {
        case .json: writeJSON(code: code, opaque: opaque, fields: fields, into: &buffer)
        case .binary: writeBinary(code: code, opaque: opaque, fields: fields, into: &buffer)
        }
        let headerLength = buffer.writerIndex - start - 8
        buffer.setInteger(Int32(4 + headerLength), at: start)
        buffer.setInteger(Int32(headerLength) | (encoding == .json ? 0 : 1 << 24), at: start + 4)
    }

    private static func writeJSON(code: Int, opaque: Int32, fields: [(String, String)], into buffer: inout ByteBuffer) {
        buffer.writeString("{\"opaque\":")
        buffer.writeString(String(opaque))
        buffer.writeString(",\"code\":")
        buffer.writeString(String(code))
        buffer.writeString(",\"extFields\":{")
        var separator = "\""
        for (name, value) in fields {
            buffer.writeString(separator)
            buffer.writeString(name)
            buffer.writeString("\":\"")
            buffer.writeString(value)
            separator = "\",\""
        }
        buffer.writeString(
            "\"},\"flag\":0,\"language\":\"JAVA\",\"serializeTypeCurrentRPC\":\"JSON\",\"version\":409}")
    }

    private static func writeBinary(
        code: Int, opaque: Int32, fields: [(String, String)], into buffer: inout ByteBuffer
    ) {
        buffer.writeInteger(Int16(code))
        buffer.writeInteger(UInt8(0))
        buffer.writeInteger(Int16(409))
        buffer.writeInteger(opaque)
        buffer.writeInteger(Int32(0))
        buffer.writeInteger(Int32(0))
        let lengthIndex = buffer.writerIndex
        buffer.writeInteger(Int32(0))
        for (name, value) in fields {
            buffer.writeInteger(Int16(name.utf8.count))
            buffer.writeString(name)
            buffer.writeInteger(Int32(value.utf8.count))
            buffer.writeString(value)
        }
        buffer.setInteger(Int32(buffer.writerIndex - lengthIndex - 4), at: lengthIndex)
    }
}
