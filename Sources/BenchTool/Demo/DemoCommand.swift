import ArgumentParser
import Foundation

struct DemoCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo",
        abstract: "Start a name server and a broker, send one message of every kind, watch them arrive.")

    func run() async throws {
        try await DemoCluster.with { cluster in
            try await Demo(cluster: cluster) { line in
                try? FileHandle.standardOutput.write(contentsOf: Data((line + "\n").utf8))
            }
            .run()
        }
    }
}
