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

    func files() async throws -> [ServiceFile] {
        let files = try await ServiceFile.all(in: store)
        guard let service else { return files }
        let chosen = files.filter { $0.name == service }
        guard !chosen.isEmpty else {
            throw ValidationError(
                "There is no service \(service) in \(store): there are \(files.map(\.name).joined(separator: ", ")).")
        }
        return chosen
    }
}
