package import NIOCore

/// Inflates a gzip file (RFC 1952) piece by piece, members one after the other. Zeros behind a member are padding, as
/// tapes and block devices leave it.
package struct Gunzip: ~Copyable {
    private let stream: InflateStream
    private let limit: Int
    private var producedBytes = 0
    /// A member has begun and not ended.
    private var isInside = true

    private static let roomBytes = 65_536

    /// - Parameter limit: of all bytes produced, so that a small file that claims to be huge costs no more than this.
    package init(limit: Int) throws(RecordError) {
        stream = try InflateStream(.gzip)
        self.limit = limit
    }

    /// Inflates from the front of `input` to the end of `output`, about 64 KiB at a time.
    ///
    /// - Returns: whether there is more to come of what was given so far: call again, with the same buffers. False
    ///   when the input is used up.
    /// - Throws: `corruptCompression`, `inflatesBeyondLimit`.
    package mutating func inflate(
        _ input: inout ByteBuffer, into output: inout ByteBuffer
    ) throws(RecordError) -> Bool {
        if !isInside {
            while input.readableBytesView.first == 0 { input.moveReaderIndex(forwardBy: 1) }
            guard input.readableBytes > 0 else { return false }
            stream.reset()
            isInside = true
        }
        let before = output.readableBytes
        let step = stream.step(&input, &output, room: Self.roomBytes)
        let produced = output.readableBytes - before
        producedBytes += produced
        guard producedBytes <= limit else {
            throw RecordError(.inflatesBeyondLimit, "the file inflates to more than \(limit) bytes")
        }
        switch step {
        case .progress: return input.readableBytes > 0 || produced == Self.roomBytes
        case .stalled: return false
        case .finished:
            isInside = false
            return input.readableBytes > 0
        case .failed(let code):
            throw RecordError(.corruptCompression, "zlib error \(code) after \(producedBytes) bytes")
        }
    }

    /// Call after the last piece of the file.
    ///
    /// - Throws: `corruptCompression` when the file ends in the middle.
    package borrowing func finish() throws(RecordError) {
        guard isInside else { return }
        throw RecordError(.corruptCompression, "the file ends early, after \(producedBytes) bytes")
    }
}
