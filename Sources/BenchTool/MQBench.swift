import ArgumentParser
import Foundation

@main
struct MQBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mqbench",
        abstract: "Measures a broker and the machine it runs on.",
        subcommands: [
            RunCommand.self, StoreCommand.self, ConsumeCommand.self, DemoCommand.self, EchoServerCommand.self,
            OpenStoreCommand.self,
        ],
        defaultSubcommand: RunCommand.self
    )

    /// Exit codes are those of every executable here: 1 the work failed, 2 wrong use.
    static func main() async {
        do {
            var command = try parseAsRoot()
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
        } catch let error as BenchError {
            fail("mqbench: \(error)", status: 1)
        } catch {
            guard exitCode(for: error) == .validationFailure || exitCode(for: error) == .success else {
                fail("mqbench: \(error)", status: 1)
            }
            let isHelp = exitCode(for: error) == .success
            fail(fullMessage(for: error), status: isHelp ? 0 : 2)
        }
    }

    private static func fail(_ text: String, status: Int32) -> Never {
        let output = status == 0 ? FileHandle.standardOutput : FileHandle.standardError
        try? output.write(contentsOf: Data((text + "\n").utf8))
        Foundation.exit(status)
    }
}

struct RunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Measure everything and print a table (the default).")

    @Option(help: "Seconds each measurement lasts.")
    var seconds = 3.0

    @Option(help: "Messages in the backlog that is drained.")
    var backlog = 1_000_000

    @Option(help: "Messages in the store that is filled before the aged measurements.")
    var aged = 1_000_000

    @Option(help: "Measure only what has this in its name, such as send-128-sync.")
    var only: String?

    @Option(help: "Where to put the stores (default: the system's temporary directory).")
    var directory: String?

    @Option(help: "Header encoding of the driver: json or binary.")
    var encoding = WireEncoding.json

    @Flag(help: "Print one JSON object instead of the table.")
    var json = false

    func validate() throws {
        guard seconds > 0, backlog >= 256, aged >= 256 else {
            throw ValidationError("--seconds must be positive, --backlog and --aged at least 256.")
        }
    }

    func run() async throws {
        let bench = Bench(
            seconds: seconds, backlog: backlog, agedMessages: aged, only: only, directory: directory,
            encoding: encoding)
        let figures = try await bench.run()
        let aims = Aims.check(figures)
        if json {
            print(try JSONReport.render(figures))
        } else {
            print(Table.render(figures))
            if !aims.isEmpty { print("\n" + aims.joined(separator: "\n")) }
        }
        let failed = figures.filter { $0.failure != nil }.map(\.name)
        guard failed.isEmpty else {
            throw BenchError("These measurements failed: \(failed.joined(separator: ", ")); the table says why.")
        }
    }
}

extension WireEncoding: ExpressibleByArgument {}
extension EchoServer.Answer: ExpressibleByArgument {}

struct EchoServerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "echo-server", abstract: "Answer every frame with the same response, unparsed.",
        shouldDisplay: false)

    @Option var answer = EchoServer.Answer.receipt
    @Option var encoding = WireEncoding.json
    @Option var recordBytes = 320

    func run() async throws {
        let server = EchoServer(answer: answer, encoding: encoding, recordBytes: recordBytes)
        try await server.run { port in
            try? FileHandle.standardOutput.write(contentsOf: Data("\(EchoProcess.announcement)\(port)\n".utf8))
        }
    }
}
