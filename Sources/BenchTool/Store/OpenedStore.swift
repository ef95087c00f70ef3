import ArgumentParser
import Foundation
import MQStore
import Subprocess

/// What it takes to open a store, told by a process that did nothing before: memory that was used and freed hides what
/// is used again.
struct OpenedStore {
    var seconds: Double
    var megabytes: Double
    var queues: Int

    static func inItsOwnProcess(_ directory: String) async throws -> OpenedStore {
        try Executables.require("mqbench")
        let result = try await Subprocess.run(
            .name("mqbench"), arguments: ["open-store", directory],
            environment: .inherit.updating(["PATH": "\(try Executables.directory()):/usr/bin:/bin"]), input: .none,
            output: .string(limit: 4096), error: .string(limit: 4096))
        let words = result.standardOutput.split(whereSeparator: \.isWhitespace)
        guard result.terminationStatus.isSuccess, words.count == 3, let seconds = Double(words[0]),
            let megabytes = Double(words[1]), let queues = Int(words[2])
        else { throw BenchError("The store in \(directory) cannot be opened: \(result.standardError)") }
        return OpenedStore(seconds: seconds, megabytes: megabytes, queues: queues)
    }
}

struct OpenStoreCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "open-store", abstract: "Open a store and print seconds, MiB and queues.", shouldDisplay: false)

    @Argument var directory: String

    func run() async throws {
        let probe = ProcessProbe(processID: Int(ProcessInfo.processInfo.processIdentifier))
        let before = probe.memory()?.anonymousBytes ?? 0
        let begun = Stopwatch.nanoseconds
        let store = try BenchStore(directory: directory).open()
        let seconds = Double(Stopwatch.nanoseconds - begun) / 1e9
        let bytes = (probe.memory()?.anonymousBytes ?? 0) - before
        let count = store.allQueues().count
        try store.close()
        print(seconds, Double(bytes) / 1_048_576, count)
    }
}
