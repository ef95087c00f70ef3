import ArgumentParser
import Logging
import MQClient

@main
enum MQAdmin {
    /// 0 the work is done, 1 it failed, 2 wrong use.
    static func main() async {
        LoggingSystem.bootstrap { label in
            var handler = StreamLogHandler.standardError(label: label)
            handler.logLevel = .error
            return handler
        }
        let status = await run(Array(CommandLine.arguments.dropFirst()))
        Process.exit(status)
    }

    static func run(_ arguments: [String]) async -> Int32 {
        guard let name = arguments.first else {
            Console.print(CommandList.overview)
            return 0
        }
        switch name.lowercased() {
        case "help":
            return help(arguments.dropFirst().first)
        case "-h", "--help":
            return help(nil)
        default:
            guard let command = CommandList.command(named: name) else { return unknown(name) }
            return await run(command, arguments: Array(arguments.dropFirst()))
        }
    }

    private static func help(_ name: String?) -> Int32 {
        guard let name else {
            Console.print(CommandList.overview)
            return 0
        }
        guard let command = CommandList.command(named: name) else { return unknown(name) }
        Console.print(helpText(of: command))
        return 0
    }

    private static func helpText(of command: any AdminCommand.Type) -> String {
        let name = command.commandName
        return command.helpMessage().replacing("USAGE: \(name)", with: "USAGE: mqadmin \(name)", maxReplacements: 1)
    }

    private static func unknown(_ name: String) -> Int32 {
        Console.printError("The sub command \(name) not exist. Run mqadmin to see the list of commands.")
        return 2
    }

    private static func run<Command: AdminCommand>(_ type: Command.Type, arguments: [String]) async -> Int32 {
        let command: Command
        do {
            command = try type.parse(arguments)
        } catch {
            if type.exitCode(for: error) == .success {
                Console.print(helpText(of: type))
                return 0
            }
            return wrongUse(type, type.message(for: error))
        }
        do {
            try await MQClient.with(command.common.configuration()) { client in
                try await command.run(client)
            }
            return 0
        } catch let error as UsageError {
            return wrongUse(type, error.description)
        } catch {
            Console.printError("mqadmin \(type.commandName): \(error)")
            return 1
        }
    }

    private static func wrongUse(_ type: any AdminCommand.Type, _ reason: String) -> Int32 {
        let sentence = reason.hasSuffix(".") ? reason : reason + "."
        let line = sentence.split(whereSeparator: \.isNewline).joined(separator: " ")
        Console.printError("mqadmin \(type.commandName): \(line) See mqadmin help \(type.commandName).")
        return 2
    }
}
