import Testing

@testable import MQProtocol

@Suite struct SysFlagTests {
    @Test(
        arguments: [
            (0, nil), (0x100, nil), (0x1, .zlib), (0x301, .zlib), (0x101, .lz4), (0x201, .zstd), (0x701, .unknown(7)),
        ] as [(Int32, CompressionType?)])
    func compression(rawValue: Int32, type: CompressionType?) {
        #expect(SysFlag(rawValue: rawValue).compression == type)
    }

    @Test func writesTheTypeOfCurrentProducers() {
        var flags = SysFlag(rawValue: 0x12)
        flags.compression = .zlib
        #expect(flags.rawValue == 0x313)
        flags.compression = .lz4
        #expect(flags.rawValue == 0x113)
        flags.compression = nil
        #expect(flags.rawValue == 0x12)
    }

    @Test(
        arguments: [
            (0x0, .none), (0x4, .prepared), (0x8, .commit), (0xC, .rollback), (0x7F4, .prepared),
        ] as [(Int32, SysFlag.TransactionType)])
    func transactionType(rawValue: Int32, type: SysFlag.TransactionType) {
        var flags = SysFlag(rawValue: rawValue)
        #expect(flags.transactionType == type)
        flags.transactionType = .commit
        #expect(flags.rawValue == rawValue & ~0xC | 0x8)
    }
}
