import ArgumentParser
import Foundation

/// Measures the framework against the same work done by hand, on one broker inside the process.
@main
struct EscrowBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "escrowbench",
        abstract: "Measures transactions, idempotent consumers and deadlines, and the same work done by hand.")

    @Option(help: "Seconds each measurement lasts.")
    var seconds = 3.0

    @Option(help: "Messages that are handled.")
    var messages = 200_000

    @Option(help: "Measure only what has this in its name, such as transactions.")
    var only: String?

    func validate() throws {
        guard seconds > 0, messages >= 1000 else {
            throw ValidationError("--seconds must be positive, --messages at least 1000.")
        }
    }

    func run() async throws {
        let bench = Bench(seconds: seconds, messages: messages, only: only ?? "")
        try await bench.run { line in
            try? FileHandle.standardOutput.write(contentsOf: Data((line + "\n").utf8))
        }
    }
}
