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
        let start = buffer.readerIndex
        guard let lengthWord = buffer.getInteger(at: start, as: Int32.self) else { return nil }
        let length = Int(lengthWord)
        try checkLength(length)
        guard let headerWord = buffer.getInteger(at: start + 4, as: UInt32.self) else { return nil }
        guard let encoding = HeaderEncoding(rawValue: UInt8(truncatingIfNeeded: headerWord >> 24)) else {
            throw FrameError(.unknownEncoding, "header encoding \(headerWord >> 24)")
        }
        let headerLength = Int(headerWord & 0xFF_FFFF)
        let bodyLength = length - 4 - headerLength
        guard bodyLength >= 0 else {
            throw FrameError(.headerTooLong, "header of \(headerLength) bytes in a frame of \(length)")
        }
        guard buffer.readableBytes - 4 >= length,
            let header = buffer.getSlice(at: start + 8, length: headerLength),
            let body = buffer.getSlice(at: start + 8 + headerLength, length: bodyLength)
        else { return nil }
        buffer.moveReaderIndex(forwardBy: 4 + length)
        var frame =
            switch encoding {
            case .json: try JSONFrameHeader.parse(header)
            case .binary: try BinaryFrameHeader.parse(header)
            }
        frame.body = body
        return frame
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
