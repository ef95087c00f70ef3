extension Span where Element == UInt8 {
    /// The integer in network byte order whose first byte is at `position`.
    ///
    /// Bounds are checked: a position that does not fit traps, so callers compare lengths first. The load is "unsafe"
    /// only because it would also build types for which not every bit pattern is a value; integers have no such.
    @inlinable
    package func bigEndian<Value: FixedWidthInteger & BitwiseCopyable>(_ type: Value.Type, at position: Int) -> Value {
        unsafe Value(bigEndian: bytes.unsafeLoadUnaligned(fromByteOffset: position, as: Value.self))
    }
}
