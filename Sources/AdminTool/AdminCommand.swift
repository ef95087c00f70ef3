import ArgumentParser
import MQClient

/// One sub-command: its options, and what it does with a client.
protocol AdminCommand: ParsableCommand {
    var common: CommonOptions { get }

    func run(_ client: MQClient) async throws
}

extension AdminCommand {
    static var commandName: String {
        configuration.commandName ?? ""
    }
}

/// Options that parse but make no sense together; exit code 2.
struct UsageError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}

/// Something was asked for that is not there; exit code 1.
struct AdminError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}
