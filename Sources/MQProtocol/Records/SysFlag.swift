/// How a record is to be read: compression, transaction stage and the length of its host fields.
///
/// Unknown bits are kept: a broker passes them through.
package struct SysFlag: OptionSet, Hashable, Sendable {
    package var rawValue: Int32

    @inlinable
    package init(rawValue: Int32) {
        self.rawValue = rawValue
    }

    /// The body is compressed; see ``compression``.
    @inlinable
    package static var compressed: SysFlag { SysFlag(rawValue: 0x1) }
    /// The topic's filter type is MULTI_TAG.
    @inlinable
    package static var multiTags: SysFlag { SysFlag(rawValue: 0x2) }
    @inlinable
    package static var bornHostV6: SysFlag { SysFlag(rawValue: 0x10) }
    @inlinable
    package static var storeHostV6: SysFlag { SysFlag(rawValue: 0x20) }

    @inlinable
    package static func == (lhs: SysFlag, rhs: SysFlag) -> Bool { lhs.rawValue == rhs.rawValue }

    @inlinable
    package func contains(_ other: SysFlag) -> Bool { rawValue & other.rawValue == other.rawValue }

    package enum TransactionType: Int32, Sendable {
        case none = 0
        case prepared = 0x4
        case commit = 0x8
        case rollback = 0xC
    }

    @inlinable
    package var transactionType: TransactionType {
        get {
            switch rawValue & 0xC {
            case 0x4: .prepared
            case 0x8: .commit
            case 0xC: .rollback
            default: .none
            }
        }
        set { rawValue = rawValue & ~0xC | newValue.rawValue }
    }

    /// How the body is compressed; nil when it is not.
    package var compression: CompressionType? {
        get {
            guard contains(.compressed) else { return nil }
            switch rawValue >> 8 & 0x7 {
            case 0, 3: return .zlib
            case 1: return .lz4
            case 2: return .zstd
            case let number: return .unknown(Int(number))
            }
        }
        set {
            rawValue &= ~0x701
            guard let newValue else { return }
            rawValue |= 0x1 | newValue.number << 8
        }
    }
}

/// The algorithm of a compressed body. Only zlib is built in; the others are recognised, so that the error names them.
package enum CompressionType: Hashable, Sendable, CustomStringConvertible {
    case zlib
    case lz4
    case zstd
    /// 4…7, which nobody writes.
    case unknown(Int)

    /// What producers since 4.9.5 write; 0 means zlib as well, and is what older ones wrote.
    fileprivate var number: Int32 {
        switch self {
        case .lz4: 1
        case .zstd: 2
        case .zlib: 3
        case .unknown(let number): Int32(truncatingIfNeeded: number) & 0x7
        }
    }

    package var description: String {
        switch self {
        case .zlib: "ZLIB"
        case .lz4: "LZ4"
        case .zstd: "ZSTD"
        case .unknown(let number): "compression type \(number)"
        }
    }
}
