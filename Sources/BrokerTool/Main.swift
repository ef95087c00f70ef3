import ArgumentParser
import Foundation
import MQBroker
import MQRemoting
import MQStore

@main
enum Main {
    /// 1 other failures, 2 wrong use, 64 configuration, 65 port in use, 66 store locked, 67 store corrupt, 68 disk
    /// full, 69 input or output.
    static func main() async {
        let command: BrokerCommand
        do {
            command = try BrokerCommand.parse()
        } catch {
            endParsing(error)
        }
        do {
            try await command.serve()
        } catch {
            complain("mqbroker: \(Failure(error))")
            exit(Failure(error).status)
        }
    }

    /// Help goes to standard output with status 0; wrong use to standard error with 2 instead of the library's 64.
    private static func endParsing(_ error: any Error) -> Never {
        let text = BrokerCommand.fullMessage(for: error)
        guard BrokerCommand.exitCode(for: error) != .success else {
            FileHandle.standardOutput.write(Data((text + "\n").utf8))
            exit(0)
        }
        complain(text)
        exit(2)
    }

    private static func complain(_ text: String) {
        FileHandle.standardError.write(Data((text + "\n").utf8))
    }
}
