public import ArgumentParser
import Escrow
import Foundation
import MQClient

/// Ends a sample's process with the exit codes of every executable here.
public enum SampleTool {
    /// 1 the work failed, 2 wrong use, 64 settings, 68 disk full, 69 input or output.
    public static func main(_ command: (some AsyncParsableCommand).Type) async {
        do {
            var parsed = try command.parse()
            try await parsed.run()
        } catch {
            let exitCode = command.exitCode(for: error)
            let isUse = exitCode == .success || exitCode == .validationFailure
            let text = isUse ? command.fullMessage(for: error) : "\(error)"
            let output = exitCode == .success ? FileHandle.standardOutput : .standardError
            try? output.write(contentsOf: Data((text + "\n").utf8))
            exit(exitCode == .success ? 0 : isUse ? 2 : status(error))
        }
    }

    static func complain(_ text: String) {
        try? FileHandle.standardError.write(contentsOf: Data((text + "\n").utf8))
    }

    static func endAtOnce() -> Never {
        complain("ended at once")
        _exit(1)
    }

    /// One line, at once: whoever reads a pipe does not wait for the end of the process.
    static func say(_ text: String) {
        try? FileHandle.standardOutput.write(contentsOf: Data((text + "\n").utf8))
    }

    private static func status(_ error: any Error) -> Int32 {
        if error is UnusableStore { return 64 }
        return switch (error as? EscrowError)?.code {
        case .invalidConfiguration, .invalidName, .databaseUnsuitable, .foreignMember: 64
        case .databaseFull: 68
        case .databaseFailed: 69
        default: (error as? MQClientError)?.code == .invalidAddress ? 2 : 1
        }
    }
}
