import ArgumentParser

struct DemoCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo", abstract: "Start a name server and a broker, send one message of every kind, watch them arrive.")

    func run() async throws {
        try await DemoCluster.with { cluster in
            try await Demo(cluster: cluster) { print($0) }.run()
        }
    }
}
