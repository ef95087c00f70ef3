import Foundation
import ProcessSupport
import Testing

extension ProcessTests {
    @Suite("Open files", .enabled(if: FileManager.default.fileExists(atPath: "/proc/self/limits"), "needs /proc"))
    struct OpenFilesTests {
        @Test("A broker raises the limit that its shell gave it as far as it may")
        func limit() async throws {
            try await TemporaryDirectory.with { directory in
                let options = StoreSettings.options(store: directory + "/store")
                let file = try BrokerProcess.writeProperties(options, port: try await FreePorts.next())
                _ = try await ServerProcess.run(
                    "sh", arguments: ["-c", "ulimit -Sn 512 && exec mqbroker -c '\(file)'"]
                ) { process in
                    try await process.requireLine(containing: "boot success")
                    let limits = try #require(ProcessProbe(process).openFileLimits())
                    #expect(limits.soft == min(limits.hard, 1 << 20))
                }
            }
        }
    }
}
