import ArgumentParser
import Escrow

/// What the commands that read databases are told.
struct StoreOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The directory of the services' databases (*.sqlite, *.db).", valueName: "dir"))
    var store: String

    @Option(help: "Show only this service: the name of its file without the ending.")
    var service: String?

    @Option(help: "Rows of each service at most.")
    var limit = 50

    @Flag(help: "Print one JSON array instead of tables.")
    var json = false

    func validate() throws {
        guard (1...1_000_000).contains(limit) else { throw ValidationError("--limit is 1 to 1000000.") }
    }

    /// Says on standard error what looks like a database and is no service's.
    func files() async throws -> [ServiceFile] {
        let found = try await ServiceFile.all(in: store, service: service)
        for line in found.skipped { Console.complain("escrow: \(line)") }
        guard let service, found.files.isEmpty else { return found.files }
        throw ValidationError(
            "There is no service \(service) in \(store): there are \(found.others.joined(separator: ", ")).")
    }
}
