package import NIOCore

#if canImport(Darwin)
import Darwin
#else
import Glibc
#endif

/// The bytes of a file mapped for reading; unmapped when the last reference goes.
///
/// A map shows later writes at once. Bytes that a writer may still change are not to be read: the log publishes how far
/// it is readable, and below that bytes never change.
@safe package final class MappedRegion: @unchecked Sendable {
    private let bytes: UnsafeBufferPointer<UInt8>
    /// Memory of a simulated file; nil for a real map.
    private let owner: SharedMemory?

    /// Maps bytes 0..<length of an open file.
    init(descriptor: Int32, length: Int, path: String) throws(StoreError) {
        owner = nil
        guard length > 0 else {
            unsafe bytes = UnsafeBufferPointer(start: nil, count: 0)
            return
        }
        let address = unsafe mmap(nil, length, PROT_READ, MAP_SHARED, descriptor, 0)
        guard let address = unsafe address, unsafe address != MAP_FAILED else { throw .system(errno, "map", path) }
        unsafe bytes = UnsafeBufferPointer(start: address.assumingMemoryBound(to: UInt8.self), count: length)
    }

    init(memory: SharedMemory, length: Int) {
        owner = memory
        unsafe bytes = UnsafeBufferPointer(rebasing: memory.bytes[0..<length])
    }

    deinit {
        guard owner == nil, let start = unsafe bytes.baseAddress else { return }
        unsafe _ = munmap(UnsafeMutableRawPointer(mutating: start), bytes.count)
    }

    package var count: Int { unsafe bytes.count }

    /// The bytes of `range`, valid during the call.
    package func withBytes<Result, Failure: Error>(
        _ range: Range<Int>,
        _ body: (Span<UInt8>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        precondition(range.lowerBound >= 0 && range.upperBound <= count, "range outside of the map")
        return try unsafe body(bytes.span.extracting(range))
    }

    /// Appends the bytes of `range` to a buffer.
    package func copy(_ range: Range<Int>, into buffer: inout ByteBuffer) {
        precondition(range.lowerBound >= 0 && range.upperBound <= count, "range outside of the map")
        unsafe buffer.writeBytes(UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(bytes)[range]))
    }

    /// Whether the bytes are all zero. Compares a word at a time.
    package func isZero(_ range: Range<Int>) -> Bool {
        precondition(range.lowerBound >= 0 && range.upperBound <= count, "range outside of the map")
        let raw = unsafe UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: bytes[range]))
        var position = 0
        while position + 8 <= range.count {
            if unsafe raw.loadUnaligned(fromByteOffset: position, as: UInt64.self) != 0 { return false }
            position += 8
        }
        while position < range.count {
            if unsafe raw[position] != 0 { return false }
            position += 1
        }
        return true
    }
}
