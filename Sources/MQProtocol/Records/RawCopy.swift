extension MutableRawSpan {
    /// The byte at `position`, which is checked.
    @inlinable
    package func byte(at position: Int) -> UInt8 {
        unsafe bytes.unsafeLoad(fromByteOffset: position, as: UInt8.self)
    }

    /// Copies all of `text` to `position`.
    ///
    /// Both ends are checked before the first byte is written: a text that does not fit traps. "Unsafe" only because
    /// the standard library has no copy from span to span yet, and one word at a time costs three times as much.
    @inlinable
    @_lifetime(self: copy self)
    package mutating func copy(_ text: Span<UInt8>, to position: Int) {
        precondition(position >= 0 && text.count <= byteCount && position <= byteCount &- text.count)
        guard text.count > 0 else { return }
        unsafe withUnsafeMutableBytes { target in
            unsafe text.withUnsafeBytes { source in
                unsafe UnsafeMutableRawBufferPointer(rebasing: target[position...]).copyMemory(from: source)
            }
        }
    }
}
