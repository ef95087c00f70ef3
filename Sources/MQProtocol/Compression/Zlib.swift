import CZlib
package import NIOCore

/// The system's zlib: streams of RFC 1950 and files of RFC 1952.
package enum Zlib {
    /// The level stock producers use.
    package static let defaultLevel: Int32 = 5
    private static let chunkBytes = 16_384

    /// - Parameter limit: how long the result may become. It grows chunk by chunk, so that a small body that claims
    ///   to be huge costs no more than this.
    /// - Throws: `corruptCompression`, `inflatesBeyondLimit`.
    package static func inflate(_ input: ByteBuffer, limit: Int) throws(RecordError) -> ByteBuffer {
        let stream = try InflateStream(.zlib)
        var output = ByteBuffer()
        output.reserveCapacity(min(max(limit, 0), max(input.readableBytes * 4, chunkBytes)))
        var rest = input
        while true {
            let room = max(limit - output.readableBytes, 0)
            // One byte more than fits: a stream that ends exactly at the limit has to be told from one that goes on.
            let step = stream.step(&rest, &output, room: min(room, chunkBytes) + 1)
            if output.readableBytes > limit {
                throw RecordError(.inflatesBeyondLimit, "the body inflates to more than \(limit) bytes")
            }
            switch step {
            case .progress: continue
            case .finished: return output
            case .failed(let code):
                throw RecordError(.corruptCompression, "zlib error \(code) after \(output.readableBytes) bytes")
            case .stalled:
                throw RecordError(.corruptCompression, "the stream ends early, after \(output.readableBytes) bytes")
            }
        }
    }

    /// - Parameter level: 1 (fast) … 9 (small); others are clamped.
    package static func deflate(_ input: ByteBuffer, level: Int32 = defaultLevel) -> ByteBuffer {
        let level = min(max(level, 1), 9)
        let bound = Int(CZlib.compressBound(uLong(input.readableBytes)))
        var output = ByteBuffer()
        _ = unsafe output.writeWithUnsafeMutableBytes(minimumWritableBytes: bound) { target in
            var produced = uLongf(target.count)
            let status = unsafe input.withUnsafeReadableBytes { source in
                unsafe compress2(
                    target.baseAddress?.assumingMemoryBound(to: Bytef.self), &produced,
                    source.baseAddress?.assumingMemoryBound(to: Bytef.self), uLong(source.count), level)
            }
            precondition(status == Z_OK, "compress2 with enough room fails only without memory: \(status)")
            return Int(produced)
        }
        return output
    }
}

/// An inflating z_stream. It lives on the heap: zlib's own state points back at it.
@safe
struct InflateStream: ~Copyable {
    /// What stands around the deflated data, as zlib's window bits say it.
    enum Wrapping: Int32 {
        case zlib = 15
        case gzip = 31
    }

    enum Step {
        case progress
        case finished
        /// Everything was read and nothing more comes out, but the stream has not ended.
        case stalled
        case failed(Int32)
    }

    private let stream: UnsafeMutablePointer<z_stream>

    init(_ wrapping: Wrapping) throws(RecordError) {
        unsafe stream = .allocate(capacity: 1)
        unsafe stream.initialize(to: z_stream())
        let status = unsafe inflateInit2_(
            stream, wrapping.rawValue, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
        guard status == Z_OK else {
            unsafe stream.deallocate()
            throw RecordError(.corruptCompression, "zlib does not start: error \(status)")
        }
    }

    deinit {
        unsafe inflateEnd(stream)
        unsafe stream.deallocate()
    }

    /// Begins another stream of the same kind.
    borrowing func reset() {
        _ = unsafe inflateReset(stream)
    }

    /// Inflates up to `room` bytes from the front of `input` to the end of `output`.
    borrowing func step(_ input: inout ByteBuffer, _ output: inout ByteBuffer, room: Int) -> Step {
        var status = Z_OK
        var consumed = 0
        let stream = unsafe self.stream
        let produced = unsafe output.writeWithUnsafeMutableBytes(minimumWritableBytes: room) { target in
            unsafe input.withUnsafeReadableBytes { source in
                let readable = min(source.count, Int(UInt32.max))
                unsafe stream.pointee.next_in = UnsafeMutablePointer(
                    mutating: source.baseAddress?.assumingMemoryBound(to: Bytef.self))
                unsafe stream.pointee.avail_in = uInt(readable)
                unsafe stream.pointee.next_out = target.baseAddress?.assumingMemoryBound(to: Bytef.self)
                unsafe stream.pointee.avail_out = uInt(room)
                unsafe status = CZlib.inflate(stream, Z_NO_FLUSH)
                consumed = unsafe readable - Int(stream.pointee.avail_in)
                return unsafe room - Int(stream.pointee.avail_out)
            }
        }
        input.moveReaderIndex(forwardBy: consumed)
        switch status {
        case Z_STREAM_END: return .finished
        case Z_OK, Z_BUF_ERROR: return produced == 0 && consumed == 0 ? .stalled : .progress
        default: return .failed(status)
        }
    }
}
