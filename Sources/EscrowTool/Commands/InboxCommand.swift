import ArgumentParser
import Escrow
import MQProtocol

struct InboxCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inbox", abstract: "Show what consumers have handled, the latest first.")

    @Option(help: "Show only this consumer.")
    var consumer: String?

    @Option(help: "Show only the event with this idempotency key.")
    var key: String?

    @OptionGroup var options: StoreOptions

    func run() async throws {
        var printer = RowPrinter(json: options.json)
        for file in try await options.files() {
            let rows = try await file.inspection.inbox(consumer: consumer, key: key, limit: options.limit)
            let handled = rows.map { row in
                [row.consumer, row.key, row.outcome, Moment.text(row.handled), row.reason ?? ""]
            }
            printer.add(
                file.name, try await summary(file), keys: ["consumer", "key", "outcome", "at", "reason"],
                headings: ["consumer", "event", "outcome", "at (UTC)", "reason"], rows: handled,
                whenEmpty: "nothing handled")
        }
        try printer.print()
    }

    private func summary(_ file: ServiceFile) async throws -> String {
        try await file.inspection.inboxTotals().map { "\($0.consumer) \($0.count) \($0.outcome)" }.joined(
            separator: ", ")
    }
}
