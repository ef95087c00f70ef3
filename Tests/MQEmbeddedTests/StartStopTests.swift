import Foundation
import MQClient
import MQEmbedded
import Testing

@Suite struct StartStopTests {
    /// In a process of its own: other tests open files and start threads. What ended in the last second may still be
    /// held by a timer of an event loop, and the system's pools may grow by a thread: so much is allowed on top, a
    /// tenth of what a leak of one would be.
    @Test("Two hundred starts and stops leave no file, socket or thread behind")
    func leavesNothing() async {
        await #expect(processExitsWith: .success) {
            for _ in 0..<20 { try await StartStopTests.cycle() }
            let before = (files: StartStopTests.count("fd"), threads: StartStopTests.count("task"))
            for _ in 0..<200 { try await StartStopTests.cycle() }
            let after = (files: StartStopTests.count("fd"), threads: StartStopTests.count("task"))
            let last = StartStopTests.lastFiles()
            #expect(after.files <= before.files + 20, "\(before.files) files, then \(after.files), the last: \(last)")
            #expect(after.threads <= before.threads + 20, "\(before.threads) threads, then \(after.threads)")
        }
    }

    static func cycle() async throws {
        try await Embedded.with { _, client in
            _ = try await client.send(Message(topic: "Orders", body: "x"))
        }
    }

    /// What the highest file numbers are.
    static func lastFiles() -> [String] {
        let folder = "/proc/self/fd"
        let numbers = (try? FileManager.default.contentsOfDirectory(atPath: folder))?.compactMap(Int.init) ?? []
        return numbers.sorted().suffix(12).compactMap {
            try? FileManager.default.destinationOfSymbolicLink(atPath: "\(folder)/\($0)")
        }
    }

    /// Entries of a folder of the process's own in /proc; nothing where there is no such folder.
    static func count(_ folder: String) -> Int {
        (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/\(folder)").count) ?? 0
    }
}
