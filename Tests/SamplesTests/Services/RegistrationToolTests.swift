import Escrow
import Testing

@testable import RegistrationMailTool

@Suite struct RegistrationToolTests {
    @Test func whoIsNotRegisteredIsNotSaidToBe() {
        let error = #expect(throws: TransactionNotCommitted.self) {
            _ = try RegistrationMailCommand.answer("ada@example.org", .fenced)
        }
        #expect(error.map { "\($0)".hasPrefix("Nothing was written") } == true)
    }
}
