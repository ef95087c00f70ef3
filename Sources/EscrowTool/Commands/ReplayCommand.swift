import ArgumentParser
import ShopFlow

struct ReplayCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "replay",
        abstract: "Run the real orders of a file through three services, and check that nothing is lost or doubled.",
        discussion: """
            The file is a CSV with the columns InvoiceNo, StockCode and Quantity among others, plain or gzip. Each \
            invoice is an order of its lines with a positive quantity; invoices that begin with C return those with a \
            negative one; every other line is skipped and counted.
            """)

    @Argument(help: "The file.")
    var file: String

    @OptionGroup var options: FlowOptions

    func validate() throws {
        if file.isEmpty { throw ValidationError("The file needs a name.") }
    }

    func run() async throws {
        let known = try options.store.flatMap { try FlowRun.workload(ofStore: $0) }
        try await FlowSession.run(try options.settings(.file(file), known: known), json: options.json)
    }
}
