import ProcessOutput
import Subprocess

/// A process that lives as long as a closure runs.
struct ChildProcess: Sendable {
    let processID: Int
    let log: OutputLog

    /// Starts a sibling executable, runs `body` beside it, and ends it: first politely, after 5 s by force.
    static func with<Value: Sendable>(
        _ name: String,
        arguments: [String],
        _ body: @Sendable (ChildProcess) async throws -> Value
    ) async throws -> Value {
        try Executables.require(name)
        let directory = try Executables.directory()
        let result = try await run(
            .name(name),
            arguments: Arguments(arguments),
            environment: .inherit.updating(["PATH": "\(directory):/usr/bin:/bin"]),
            input: .none,
            output: .sequence,
            error: .combinedWithOutput
        ) { execution in
            let log = OutputLog()
            return try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    defer { log.finish() }
                    for try await line in execution.standardOutput.strings() { log.append(line) }
                }
                let process = ChildProcess(processID: Int(execution.processIdentifier.value), log: log)
                let outcome: Result<Value, any Error>
                do { outcome = .success(try await body(process)) } catch { outcome = .failure(error) }
                await execution.teardown(using: [.gracefulShutDown(allowedDurationToNextStep: .seconds(5))])
                try await group.waitForAll()
                return try outcome.get()
            }
        }
        return result.closureResult
    }
}
