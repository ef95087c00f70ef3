import ArgumentParser
import Escrow
import Foundation
import RegistrationMail
import SampleTool

@main
enum Main {
    static func main() async { await SampleTool.main(RegistrationMailCommand.self) }
}

struct RegistrationMailCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "registration-mail", abstract: "Registers users and welcomes each once.",
        discussion: """
            Commands on standard input, one a line:
              register ADDRESS NAME ...
            """)

    @OptionGroup var options: ServiceOptions

    @Option(help: ArgumentHelp("Where mails and short messages are written.", valueName: "dir"))
    var outbox = "welcomes"

    @Option(
        parsing: .upToNextOption,
        help: ArgumentHelp(
            "A program that sends the mails, and its arguments: /usr/sbin/sendmail -t -i. No shell is used.",
            valueName: "program"))
    var sendmail: [String] = []

    @Option(help: "The sender's address.")
    var sender = "shop@localhost"

    @Flag(help: "Send a mail at most once, and list as unknown what may not have been sent.")
    var mailAtMostOnce = false

    func run() async throws {
        let database = try options.open(RegistrationService.tables)
        let folder = try OutboxFolder(URL(filePath: outbox, directoryHint: .isDirectory))
        var settings = RegistrationService.Settings(outbox: folder)
        settings.sender = sender
        settings.mailPolicy = mailAtMostOnce ? .atMostOnce : .atLeastOnce
        if let program = sendmail.first {
            settings.command = MailCommand(program, arguments: Array(sendmail.dropFirst()))
        }
        let registration = try RegistrationService(
            database, configuration: try options.configuration(), settings: settings)
        try await options.run([
            registration,
            Commands { words in
                guard words[0] == "register", words.count > 2 else { return "register ADDRESS NAME" }
                let name = words.dropFirst(2).joined(separator: " ")
                return try Self.answer(words[1], try await registration.register(words[1], name: name))
            },
        ])
    }

    /// - Throws: ``TransactionNotCommitted``.
    static func answer(_ address: String, _ result: TransactionResult<Bool>) throws -> String {
        _ = try result.get()
        return "\(address) is registered"
    }
}
