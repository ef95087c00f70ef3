import Escrow
import Foundation
import GRDB
import Testing

/// A database file that cannot be read any more.
@Suite(.timeLimit(.minutes(1))) struct DamagedFileTests {
    private let site: LiveSite

    init() throws {
        site = try LiveSite()
    }

    /// Its first step is to read, on another connection than the writer's.
    @Test func aCallWithAKeyNamesTheTroubleAsAnyOtherDoes() async throws {
        let escrow = try site.shop()
        for file in [site.pool.path, "\(site.pool.path)-wal"] {
            let handle = try FileHandle(forWritingTo: URL(filePath: file))
            let size = try handle.seekToEnd()
            try handle.seek(toOffset: 0)
            try handle.write(contentsOf: Data(repeating: 0x5A, count: Int(size)))
            try handle.close()
        }
        let error = await #expect(throws: EscrowError.self) {
            try await escrow.transaction(idempotencyKey: "17") { _ in 1 }
        }
        #expect(error?.code == .databaseFailed)
    }
}
