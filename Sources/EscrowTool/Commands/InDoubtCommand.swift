import ArgumentParser
import Escrow
import MQProtocol

struct InDoubtCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "in-doubt",
        abstract: "Show what is committed and not acknowledged by a broker yet, and check-backs without a verdict.")

    @OptionGroup var options: StoreOptions

    func run() async throws {
        let now = TimeSource.system.now()
        var printer = RowPrinter(json: options.json)
        for file in try await options.files() {
            let entries = try await file.inspection.inDoubt(limit: options.limit)
            let rows = entries.map { entry in
                let since = options.json ? Moment.text(entry.since) : Moment.relative(entry.since, now: now)
                let event = entry.event.isEmpty ? entry.key : "\(entry.event) \(entry.key)"
                return [words(entry.state), entry.topic, event, since, entry.reason]
            }
            printer.add(
                file.name, "", keys: ["waitsFor", "topic", "event", "since", "reason"],
                headings: ["waits for", "topic", "event", "since", "note"], rows: rows, whenEmpty: "nothing in doubt")
        }
        try printer.print()
    }

    private func words(_ state: Inspection.InDoubt.State) -> String {
        switch state {
        case .verdictUnacknowledged: "verdict"
        case .messageUnsent: "sending"
        case .unresolved: "a decision"
        }
    }
}
