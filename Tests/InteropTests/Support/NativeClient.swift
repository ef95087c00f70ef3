import Foundation
import Subprocess

/// The independent client: the C++ client of the package `rocketmq` from PyPI, in an environment of the tests' own.
enum NativeClient {
    static let requirement = "rocketmq==0.4.4"

    /// The folder of its Python; made once per build folder.
    static func pythonFolder() async throws -> String {
        try await installation.value
    }

    private static let installation = Task { try await install() }

    private static func install() async throws -> String {
        let folder = Places.environment.appendingPathComponent("bin").path
        let marker = Places.environment.appendingPathComponent("installed-\(requirement)")
        if FileManager.default.fileExists(atPath: marker.path) { return folder }
        try? FileManager.default.removeItem(at: Places.environment)
        try await execute(
            "python3", ["-m", "venv", Places.environment.path], folder: nil,
            remedy: "install python3 and python3-venv (apt-get install python3-venv)")
        try await execute(
            "python", ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", requirement], folder: folder,
            remedy: "check that the package index can be reached")
        try await execute(
            "python", ["-c", "import rocketmq.client"], folder: folder,
            remedy: "the native library needs x86-64 Linux with libstdc++")
        try Data().write(to: marker)
        return folder
    }

    private static func execute(_ name: String, _ arguments: [String], folder: String?, remedy: String) async throws {
        let path = folder.map { "\($0):/usr/local/bin:/usr/bin:/bin" }
        let environment: Subprocess.Environment = path.map { .inherit.updating(["PATH": $0]) } ?? .inherit
        let command = "\(name) \(arguments.joined(separator: " "))"
        do {
            let result = try await run(
                .name(name), arguments: Arguments(arguments), environment: environment,
                output: .string(limit: 65536), error: .combinedWithOutput)
            guard result.terminationStatus.isSuccess else {
                throw InteropError("`\(command)` failed: \(remedy). It said: \(result.standardOutput)")
            }
        } catch let error as SubprocessError {
            throw InteropError("`\(command)` could not be started: \(remedy). (\(error))")
        }
    }
}
