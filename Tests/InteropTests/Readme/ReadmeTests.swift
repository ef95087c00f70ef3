import Foundation
import MQClient
import NIOCore
import Testing

extension InteropTests {
    /// The README's code is the code of a file beside this one: compiled, run, and compared.
    @Suite struct Readme {
        private static let folder = URL(filePath: #filePath).deletingLastPathComponent()

        @Test("The README shows the code that is compiled here")
        func showsThisCode() throws {
            let code = try String(contentsOf: Self.folder.appending(path: "FirstMessages.swift"), encoding: .utf8)
            let root = Self.folder.deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
            let readme = try String(contentsOf: root.appending(path: "README.md"), encoding: .utf8)
            #expect(readme.contains("```swift\n\(code)```\n"))
        }

        @Test("The README's code runs: the first message is there, the timeout waits")
        func runs() async throws {
            try await Cluster.with { cluster in
                try await cluster.createTopic("Orders")
                try await firstMessages(cluster.nameServer)
                try await cluster.eventually("the first message is readable") {
                    try await !cluster.everything(in: "Orders").isEmpty
                }
                let bodies = try await cluster.everything(in: "Orders").map { String(buffer: $0.body) }
                #expect(bodies == ["17 placed"])
            }
        }
    }
}
