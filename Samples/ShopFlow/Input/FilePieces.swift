import Foundation
import MQProtocol
import NIOCore

/// The bytes of a file in pieces, inflated when it is a gzip file.
struct FilePieces: ~Copyable {
    private let handle: FileHandle
    private var gunzip: Gunzip
    private var isPacked = false
    private var isFirst = true
    private var input = ByteBuffer()

    private static let pieceBytes = 65_536
    /// Of an inflated file. The largest real one is a hundredth of it.
    static let inflatedLimit = 8 << 30

    /// - Throws: ``FlowError/Code/unusableFile``.
    init(_ path: String) throws {
        guard URL(filePath: path, directoryHint: .notDirectory).fileType != .typeDirectory else {
            throw FlowError(.unusableFile, "\(path) is a directory: name a CSV file.")
        }
        guard let found = FileHandle(forReadingAtPath: path) else {
            throw FlowError(.unusableFile, "\(path) is no file that can be read.")
        }
        let fresh = try Gunzip(limit: Self.inflatedLimit)
        handle = found
        gunzip = fresh
    }

    /// Nil at the end.
    ///
    /// - Throws: errors of the file system; `RecordError` for a damaged gzip file.
    mutating func next() throws -> ByteBuffer? {
        if isFirst {
            isFirst = false
            input = try read() ?? ByteBuffer()
            isPacked = input.readableBytesView.starts(with: [0x1F, 0x8B])
            if !isPacked { return input }
        }
        return isPacked ? try inflate() : try read()
    }

    private mutating func inflate() throws -> ByteBuffer? {
        var output = ByteBuffer()
        while output.readableBytes < Self.pieceBytes {
            if try gunzip.inflate(&input, into: &output) { continue }
            guard let more = try read() else {
                try gunzip.finish()
                return output.readableBytes > 0 ? output : nil
            }
            input = more
        }
        return output
    }

    private func read() throws -> ByteBuffer? {
        guard let data = try handle.read(upToCount: Self.pieceBytes), !data.isEmpty else { return nil }
        return ByteBuffer(bytes: data)
    }
}
