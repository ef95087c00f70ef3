#if canImport(Darwin)
import Darwin
#else
import Glibc
#endif

/// The bytes of a simulated file, in one place as long as anyone maps them.
///
/// Everything is moved by the C library: simulations run unoptimized, where a loop over bytes takes most of the time.
@safe final class SharedMemory: @unchecked Sendable {
    let bytes: UnsafeMutableBufferPointer<UInt8>

    init(capacity: Int) {
        unsafe bytes = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: max(capacity, 1))
        unsafe memset(start, 0, bytes.count)
    }

    deinit { unsafe bytes.deallocate() }

    var capacity: Int { unsafe bytes.count }

    private var start: UnsafeMutablePointer<UInt8> {
        guard let start = unsafe bytes.baseAddress else { preconditionFailure("memory is never empty") }
        return unsafe start
    }

    private func check(_ range: Range<Int>) {
        precondition(range.lowerBound >= 0 && range.upperBound <= capacity, "outside of simulated memory")
    }

    func store(_ source: Span<UInt8>, at offset: Int) {
        check(offset..<offset + source.count)
        unsafe source.withUnsafeBytes { source in
            if let first = source.baseAddress { unsafe _ = memcpy(start + offset, first, source.count) }
        }
    }

    /// Takes the same bytes of another memory; what that one does not reach is zero.
    func copy(_ range: Range<Int>, from other: SharedMemory) {
        check(range)
        let known = min(max(other.capacity, range.lowerBound), range.upperBound)
        let count = known - range.lowerBound
        if count > 0 { unsafe _ = memcpy(start + range.lowerBound, other.start + range.lowerBound, count) }
        clear(known..<range.upperBound)
    }

    func load(_ range: Range<Int>) -> [UInt8] {
        check(range)
        return unsafe [UInt8](unsafeUninitializedCapacity: range.count) { buffer, count in
            if let first = buffer.baseAddress { unsafe _ = memcpy(first, start + range.lowerBound, range.count) }
            count = range.count
        }
    }

    func clear(_ range: Range<Int>) {
        check(range)
        unsafe _ = memset(start + range.lowerBound, 0, range.count)
    }

    subscript(index: Int) -> UInt8 {
        get { unsafe bytes[index] }
        set { unsafe bytes[index] = newValue }
    }
}
