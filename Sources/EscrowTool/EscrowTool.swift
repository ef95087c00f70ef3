import ArgumentParser
import Escrow
import Foundation
import Logging

@main
struct EscrowTool: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "escrow",
        abstract: "Runs the sample flow, and shows and repairs what a service's database says of its messages.",
        discussion: "Exit codes: 0 done; 1 the work failed or something is lost or doubled; 2 wrong use or a file that "
            + "cannot be used; 64 settings; 66 the store is in use; 67 the store is damaged; 68 the disk is full; "
            + "69 the disk or a file failed.",
        subcommands: [
            DemoCommand.self, ReplayCommand.self, InDoubtCommand.self, DeadlinesCommand.self, DeadLettersCommand.self,
            InboxCommand.self, StoreCommand.self,
        ])

    static func main() async {
        LoggingSystem.bootstrap { label in
            var handler = StreamLogHandler.standardError(label: label)
            handler.logLevel = .error
            return handler
        }
        do {
            var command = try parseAsRoot()
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
        } catch {
            end(error)
        }
    }

    private static func end(_ error: any Error) -> Never {
        switch exitCode(for: error) {
        case .success:
            Console.print(fullMessage(for: error))
            Foundation.exit(0)
        case .validationFailure:
            Console.complain("escrow: \(message(for: error))\nSee escrow --help.")
            Foundation.exit(2)
        default:
            let failure = Failure(error)
            if !failure.message.isEmpty { Console.complain("escrow: \(failure.message)") }
            Foundation.exit(failure.status)
        }
    }
}
