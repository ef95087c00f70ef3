/// The bytes of a simulated file, in one place as long as anyone maps them.
@safe final class SharedMemory: @unchecked Sendable {
    let bytes: UnsafeMutableBufferPointer<UInt8>

    init(capacity: Int) {
        unsafe bytes = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: max(capacity, 1))
        unsafe bytes.initialize(repeating: 0)
    }

    deinit { unsafe bytes.deallocate() }

    var capacity: Int { unsafe bytes.count }

    func store(_ source: Span<UInt8>, at offset: Int) {
        precondition(offset >= 0 && source.count <= capacity - offset, "a write outside of simulated memory")
        unsafe source.withUnsafeBufferPointer { source in
            let target = unsafe UnsafeMutableBufferPointer(rebasing: bytes[offset..<offset + source.count])
            unsafe _ = target.update(from: source)
        }
    }

    func load(_ range: Range<Int>) -> [UInt8] {
        unsafe Array(bytes[range])
    }

    func clear(_ range: Range<Int>) {
        unsafe bytes[range].update(repeating: 0)
    }

    subscript(index: Int) -> UInt8 {
        get { unsafe bytes[index] }
        set { unsafe bytes[index] = newValue }
    }
}
