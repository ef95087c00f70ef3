package import NIOCore

/// Cuts frames out of a connection's bytes.
///
/// Lengths are checked as soon as they are there, so a peer that announces too much is refused before anything is
/// buffered for it. Headers and bodies are slices: nothing is copied.
package struct FrameDecoder: Sendable {
    /// The length word counts too. Default: ``Frame/maximumBytes``.
    package let maximumFrameBytes: Int

    package init(maximumFrameBytes: Int = Frame.maximumBytes) {
        self.maximumFrameBytes = maximumFrameBytes
    }

    /// The next complete frame, or nil when more bytes are needed. After an error the buffer must not be read again.
    package mutating func next(from buffer: inout ByteBuffer) throws(FrameError) -> Frame? {
        var frame = Frame(code: 0)
        return try next(from: &buffer, into: &frame) ? frame : nil
    }

    /// The same into a frame that is there already: for who decodes many and keeps none.
    ///
    /// - Returns: false when more bytes are needed; `frame` is then as it was.
    package mutating func next(from buffer: inout ByteBuffer, into frame: inout Frame) throws(FrameError) -> Bool {
        let start = buffer.readerIndex
        guard let words = buffer.getInteger(at: start, as: UInt64.self) else {
            if let length = buffer.getInteger(at: start, as: Int32.self) { try checkLength(Int(length)) }
            return false
        }
        let length = Int(Int32(truncatingIfNeeded: words >> 32))
        let headerWord = UInt32(truncatingIfNeeded: words)
        try checkLength(length)
        guard let encoding = HeaderEncoding(rawValue: UInt8(truncatingIfNeeded: headerWord >> 24)) else {
            throw FrameError(.unknownEncoding, "header encoding \(headerWord >> 24)")
        }
        let headerLength = Int(headerWord & 0xFF_FFFF)
        let bodyLength = length - 4 - headerLength
        guard bodyLength >= 0 else {
            throw FrameError(.headerTooLong, "header of \(headerLength) bytes in a frame of \(length)")
        }
        guard buffer.readableBytes - 4 >= length else { return false }
        let header = start + 8..<start + 8 + headerLength
        switch encoding {
        case .json: try JSONFrameHeader.parse(buffer, header, into: &frame)
        case .binary: frame = try BinaryFrameHeader.parse(buffer.slice(header))
        }
        frame.body = buffer.slice(header.upperBound..<header.upperBound + bodyLength)
        buffer.moveReaderIndex(forwardBy: 4 + length)
        return true
    }

    private func checkLength(_ length: Int) throws(FrameError) {
        guard length >= 4 else {
            throw FrameError(.invalidLength, "length \(length)")
        }
        guard length <= maximumFrameBytes - 4 else {
            throw FrameError(.frameTooLarge, "length \(length), limit \(maximumFrameBytes)")
        }
    }
}

extension ByteBuffer {
    /// Bytes that are known to be there.
    func slice(_ range: Range<Int>) -> ByteBuffer {
        getSlice(at: range.lowerBound, length: range.count) ?? ByteBuffer()
    }
}
