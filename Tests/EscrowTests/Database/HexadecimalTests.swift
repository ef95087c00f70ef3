import Testing

@testable import Escrow

@Suite struct HexadecimalTests {
    @Test func everyByteHasTwoDigits() {
        #expect(([0, 0x0F, 0x9A, 0xFF] as [UInt8]).hexadecimal == "000f9aff")
        #expect([UInt8]().hexadecimal == "")
    }
}
