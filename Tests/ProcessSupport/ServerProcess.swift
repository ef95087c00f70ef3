package import ProcessOutput
import Subprocess

/// An executable of this package that runs as a process of its own as long as a closure does.
package struct ServerProcess: Sendable {
    /// How a process ended, and what the closure beside it returned.
    package struct Ended<Value: Sendable>: Sendable {
        package let exit: ExitStatus
        package let value: Value
    }

    package enum ExitStatus: Hashable, Sendable {
        case code(Int)
        case signal(Int)
    }

    package let name: String
    package let processID: Int
    package let output: OutputLog
    package let errors: OutputLog
    private let send: @Sendable (Signal) throws -> Void

    /// Ends the process at once, with nothing flushed by it. Nothing happens when it has already ended.
    package func kill() {
        try? send(.kill)
    }

    /// Asks the process to end in good order.
    package func terminate() {
        try? send(.terminate)
    }

    /// Stops the process where it is until ``resume()``: it neither answers nor ends meanwhile.
    package func suspend() {
        try? send(.suspend)
    }

    package func resume() {
        try? send(.resume)
    }

    /// Starts an executable, runs `body` beside it, and ends it: first politely, after 20 s by force.
    ///
    /// - Parameters:
    ///   - name: an executable of this package, or one of the system.
    ///   - programs: where this package's executables were built. Nil: beside the program that is running.
    ///   - environment: variables besides those of this process.
    package static func run<Value: Sendable>(
        _ name: String,
        arguments: [String],
        programs: String? = nil,
        environment: [String: String] = [:],
        _ body: @Sendable (ServerProcess) async throws -> Value
    ) async throws -> Ended<Value> {
        let result = try await Subprocess.run(
            .name(name),
            arguments: Arguments(arguments),
            environment: try variables(programs: programs, environment),
            input: .none,
            output: .sequence,
            error: .sequence
        ) { execution in
            let output = OutputLog()
            let errors = OutputLog()
            return try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await copy(execution.standardOutput, to: output) }
                group.addTask { try await copy(execution.standardError, to: errors) }
                let process = ServerProcess(
                    name: name, processID: Int(execution.processIdentifier.value), output: output, errors: errors
                ) { try execution.send(signal: $0) }
                let outcome: Result<Value, any Error>
                do { outcome = .success(try await body(process)) } catch { outcome = .failure(error) }
                await execution.teardown(using: [.gracefulShutDown(allowedDurationToNextStep: .seconds(20))])
                try await group.waitForAll()
                return try outcome.get()
            }
        }
        return Ended(exit: ExitStatus(result.terminationStatus), value: result.closureResult)
    }

    /// The package's executables come before those of the system.
    fileprivate static func variables(programs: String?, _ more: [String: String]) throws -> Environment {
        let folder = if let programs { programs } else { try BuildFolder.path() }
        let path = ["PATH": "\(folder):/usr/sbin:/usr/bin:/sbin:/bin"]
        let variables = more.merging(path) { given, _ in given }.map { name, value in
            (Environment.Key(stringLiteral: name), Optional(value))
        }
        return .inherit.updating(Dictionary(uniqueKeysWithValues: variables))
    }

    private static func copy(_ stream: SubprocessOutputSequence, to log: OutputLog) async throws {
        defer { log.finish() }
        for try await line in stream.strings() { log.append(line) }
    }
}

extension ServerProcess.ExitStatus {
    init(_ status: TerminationStatus) {
        switch status {
        case .exited(let code): self = .code(Int(code))
        case .signaled(let signal): self = .signal(Int(signal))
        }
    }
}

/// What a process that ends by itself did.
package struct CompletedProcess: Sendable {
    package let exit: ServerProcess.ExitStatus
    package let output: [String]
    package let errors: [String]

    private static let maximumOutput = 64 << 20

    /// Runs an executable of this package, or one of the system, to its end.
    ///
    /// Nothing but the cancellation of the task ends it early: a process that has closed its streams is still running.
    package static func run(_ name: String, _ arguments: [String]) async throws -> CompletedProcess {
        let result = try await Subprocess.run(
            .name(name),
            arguments: Arguments(arguments),
            environment: try ServerProcess.variables(programs: nil, [:]),
            input: .none,
            output: .string(limit: maximumOutput),
            error: .string(limit: maximumOutput))
        return CompletedProcess(
            exit: ServerProcess.ExitStatus(result.terminationStatus), output: lines(result.standardOutput),
            errors: lines(result.standardError))
    }

    private static func lines(_ text: String?) -> [String] {
        guard let text, !text.isEmpty else { return [] }
        let whole = text.hasSuffix("\n") ? text.dropLast() : text[...]
        return whole.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    }
}
