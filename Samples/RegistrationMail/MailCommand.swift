import Foundation
import MQProtocol

/// A program that takes a mail on its standard input, as `sendmail -t -i` does.
///
/// It is started with a fixed list of arguments and without a shell; the receiver stands in the mail's header only.
public struct MailCommand: Sendable {
    public let program: String
    public let arguments: [String]

    /// How long it may take. It is ended then, and nobody knows what became of the mail.
    static let limit = Duration.seconds(60)

    /// How long it may take to end when it is asked to. It is killed then: everything else waits for it.
    static let grace = Duration.seconds(5)

    /// - Parameters:
    ///   - program: a path.
    ///   - arguments: such as `-t -i`: read the receivers from the header, and do not end at a lone dot.
    public init(_ program: String, arguments: [String]) {
        self.program = program
        self.arguments = arguments
    }

    /// Its exit status 0 means that the mail is its own responsibility now.
    func send(_ mail: URL, time: TimeSource) async -> AttemptResult {
        let process = Process()
        process.executableURL = URL(filePath: program)
        process.arguments = arguments
        process.standardOutput = FileHandle.nullDevice
        do {
            process.standardInput = try FileHandle(forReadingFrom: mail)
        } catch {
            return .failed("\(mail.path()) cannot be read: \(error)")
        }
        let clock = Task {
            guard (try? await time.sleep(for: Self.limit)) != nil else { return }
            process.terminate()
            guard (try? await time.sleep(for: Self.grace)) != nil, process.isRunning else { return }
            kill(process.processIdentifier, SIGKILL)
        }
        defer { clock.cancel() }
        return await withCheckedContinuation { continuation in
            process.terminationHandler = { ended in continuation.resume(returning: result(ended)) }
            do {
                try process.run()
            } catch {
                process.terminationHandler = nil
                continuation.resume(returning: .failed("\(program) cannot be started: \(error.localizedDescription)"))
            }
        }
    }

    private func result(_ process: Process) -> AttemptResult {
        switch (process.terminationReason, process.terminationStatus) {
        case (.exit, 0): .sent
        case (.exit, let status): .failed("\(program) ended with status \(status)")
        case (_, let signal): .unknown("\(program) was ended by signal \(signal)")
        }
    }
}
