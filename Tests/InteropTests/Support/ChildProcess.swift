import Subprocess

/// A process that listens to its standard input, for as long as a closure runs: a driver.
struct ChildProcess: Sendable {
    let name: String
    let log: EventLog<String>
    private let sendSignal: @Sendable (Signal) throws -> Void
    private let closeInput: @Sendable () async throws -> Void

    /// - Parameters:
    ///   - folder: where the executable is looked for first.
    ///   - observe: gets every line as it comes, and nil behind the last one.
    ///   - body: after it the process is asked to end, and after 5 s killed.
    static func with<Value: Sendable>(
        _ name: String, folder: String, arguments: [String], environment: [String: String] = [:],
        observe: @escaping @Sendable (String?) -> Void = { _ in },
        _ body: @Sendable (ChildProcess) async throws -> Value
    ) async throws -> Value {
        var variables: [Subprocess.Environment.Key: String?] = ["PATH": "\(folder):/usr/bin:/bin"]
        for (name, value) in environment {
            if let key = Subprocess.Environment.Key(rawValue: name) { variables[key] = value }
        }
        let result = try await run(
            .name(name), arguments: Arguments(arguments), environment: .inherit.updating(variables),
            input: .inputWriter, output: .sequence, error: .combinedWithOutput
        ) { execution in
            let log = EventLog<String>()
            let process = ChildProcess(
                name: name, log: log,
                sendSignal: { try execution.send(signal: $0) },
                closeInput: { try await execution.standardInputWriter.finish() })
            return try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    defer {
                        observe(nil)
                        log.finish()
                    }
                    for try await line in execution.standardOutput.strings() {
                        observe(line)
                        log.append(line)
                    }
                }
                let outcome: Result<Value, any Error>
                do { outcome = .success(try await body(process)) } catch { outcome = .failure(error) }
                await execution.teardown(using: [.gracefulShutDown(allowedDurationToNextStep: .seconds(5))])
                try await group.waitForAll()
                return try outcome.get()
            }
        }
        return result.closureResult
    }

    /// Ends the process as a power switch would.
    func kill() async throws {
        try sendSignal(.kill)
        await log.waitForEnd()
    }

    /// Tells a driver that the test has seen enough.
    func endInput() async throws {
        try await closeInput()
    }

    /// Waits for a line that contains `text`.
    func waitForLine(containing text: String) async throws {
        let isThere = await log.wait(for: Occurrences(left: 1) { $0.contains(text) })
        guard isThere else { throw InteropError("\(name) ended before it said \"\(text)\": \(tail)") }
    }

    var tail: String {
        log.elements.suffix(8).joined(separator: "\n")
    }
}
