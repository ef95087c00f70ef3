import ArgumentParser
import Escrow
import MQProtocol

struct DeadlinesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "deadlines", abstract: "Show deadlines: those that are armed, or of any state.")

    @Option(help: "armed, fired, cancelled, dead or all.")
    var state = "armed"

    @OptionGroup var options: StoreOptions

    func validate() throws {
        guard ["armed", "fired", "cancelled", "dead", "all"].contains(state) else {
            throw ValidationError("--state is armed, fired, cancelled, dead or all.")
        }
    }

    func run() async throws {
        let now = TimeSource.system.now()
        var printer = RowPrinter(json: options.json)
        for file in try await options.files() {
            let entries = try await file.inspection.deadlines(
                Inspection.DeadlineRow.State(rawValue: state), limit: options.limit)
            let rows = entries.map { entry in
                [
                    entry.deadline.name, entry.deadline.key, "\(entry.generation)", entry.state.rawValue,
                    Moment.text(entry.due),
                    options.json ? "" : Moment.relative(entry.due, now: now),
                    entry.ended.map(Moment.text) ?? "",
                ]
            }
            printer.add(
                file.name, "", keys: ["name", "key", "generation", "state", "due", "", "ended"],
                headings: ["deadline", "key", "generation", "state", "due (UTC)", "", "ended (UTC)"], rightAligned: [2],
                rows: rows, whenEmpty: state == "all" ? "no deadlines" : "no \(state) deadlines")
        }
        try printer.print()
    }
}
