package import NIOCore

extension CompressionType {
    /// - Parameter limit: the most bytes the result may have.
    /// - Throws: `unsupportedCompression` naming the algorithm when it is not built in, `corruptCompression`,
    ///   `inflatesBeyondLimit`.
    package func decompress(_ body: ByteBuffer, limit: Int) throws(RecordError) -> ByteBuffer {
        guard case .zlib = self else {
            throw RecordError(
                .unsupportedCompression,
                "the body is compressed with \(self), which is not built in; let the producer use ZLIB")
        }
        return try Zlib.inflate(body, limit: limit)
    }
}
