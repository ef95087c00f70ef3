import ArgumentParser
import Foundation
import MQNameServer
import MQRemoting

@main
enum Main {
    /// 2 wrong use, 64 configuration, 65 port in use, 67 stored values corrupt, 69 input or output.
    static func main() async {
        let command: NameServerCommand
        do {
            command = try NameServerCommand.parse()
        } catch {
            endParsing(error)
        }
        do {
            try await command.serve()
        } catch {
            complain("mqnamesrv: \(explanation(of: error))")
            exit(status(of: error))
        }
    }

    /// Help goes to standard output with status 0; wrong use to standard error with 2 instead of the library's 64.
    private static func endParsing(_ error: any Error) -> Never {
        guard NameServerCommand.exitCode(for: error) != .success else {
            FileHandle.standardOutput.write(Data((NameServerCommand.fullMessage(for: error) + "\n").utf8))
            exit(0)
        }
        complain("mqnamesrv: \(NameServerCommand.message(for: error)); mqnamesrv --help lists the options")
        exit(2)
    }

    /// One line with the cause and what to do.
    private static func explanation(of error: any Error) -> String {
        guard let error = error as? RemotingError, error.code == .portInUse else { return "\(error)" }
        return "\(error.message) (listenPort)"
    }

    private static func complain(_ text: String) {
        FileHandle.standardError.write(Data((text + "\n").utf8))
    }

    private static func status(of error: any Error) -> Int32 {
        if let error = error as? NameServerError {
            switch error.code {
            case .configuration: return 64
            case .corrupt: return 67
            default: return 69
            }
        }
        if let error = error as? RemotingError {
            switch error.code {
            case .portInUse: return 65
            case .configuration, .tls, .bindFailed: return 64
            default: return 69
            }
        }
        return 1
    }
}
