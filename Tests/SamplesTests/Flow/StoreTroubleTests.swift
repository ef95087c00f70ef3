import Escrow
import GRDB
import Testing

@testable import ShopFlow

@Suite struct StoreTroubleTests {
    private func code(_ error: any Error) -> FlowError.Code? {
        FlowError(error, store: "/shop")?.code
    }

    @Test func failuresOfTheDiskNameTheStore() throws {
        #expect(code(DatabaseError(resultCode: .SQLITE_FULL)) == .storeFull)
        #expect(code(DatabaseError(resultCode: .SQLITE_IOERR_FSYNC)) == .storeFailed)
        #expect(code(DatabaseError(resultCode: .SQLITE_CANTOPEN)) == .storeFailed)
        #expect(code(EscrowError(.databaseFull, "no space")) == .storeFull)
        #expect(code(EscrowError(.databaseFailed, "disk I/O error")) == .storeFailed)
        let trouble = try #require(FlowError(DatabaseError(resultCode: .SQLITE_IOERR), store: "/shop"))
        #expect(trouble.message.hasPrefix("The store /shop cannot be read or written"))
    }

    @Test func otherErrorsStayWhatTheyAre() {
        #expect(code(CancellationError()) == nil)
        #expect(code(EscrowError(.stopped, "stopped")) == nil)
        #expect(code(DatabaseError(resultCode: .SQLITE_CONSTRAINT)) == nil)
    }
}
