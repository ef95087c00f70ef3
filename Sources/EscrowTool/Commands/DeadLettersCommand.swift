import ArgumentParser
import Escrow
import MQProtocol

struct DeadLettersCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dead-letters", abstract: "Show messages that were given up on, handle them again, or close them.",
        subcommands: [List.self, ShowDeadLetter.self, Redrive.self, Discard.self], defaultSubcommand: List.self)

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Show them with the reason (the default).")

        @Option(help: "open, wanted, redriven, discarded or all.")
        var state = "open"

        @Option(help: "Show only those of this consumer.")
        var consumer: String?

        @OptionGroup var options: StoreOptions

        func validate() throws {
            guard state == "all" || DeadLetter.State(rawValue: state) != nil else {
                throw ValidationError("--state is open, wanted, redriven, discarded or all.")
            }
        }

        func run() async throws {
            var printer = RowPrinter(json: options.json)
            for file in try await options.files() {
                let letters = try await file.inspection.deadLetters(
                    consumer: consumer, state: DeadLetter.State(rawValue: state), limit: options.limit)
                let rows = letters.map { letter in
                    [
                        "\(file.name)/\(letter.id)", letter.state.rawValue, letter.consumer, letter.event,
                        letter.idempotencyKey, "\(letter.attempts)", Moment.text(letter.failed), letter.reason,
                    ]
                }
                printer.add(
                    file.name, "", keys: ["id", "state", "consumer", "event", "key", "attempts", "failed", "reason"],
                    headings: ["id", "state", "consumer", "event", "key", "attempts", "failed (UTC)", "reason"],
                    rightAligned: [5], rows: rows, whenEmpty: state == "all" ? "none" : "none \(state)")
            }
            try printer.print()
        }
    }

    struct Redrive: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Handle letters again, oldest first: at once by the running service, or at its next start.")

        @OptionGroup var choice: LetterChoice

        func run() async throws {
            let count = try await choice.apply { file, ids, consumer in
                try await file.redrive(ids, consumer: consumer)
            }
            choice.report(count, "will be handled again by the running service, or at its next start")
        }
    }

    struct Discard: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Close letters without handling them.")

        @OptionGroup var choice: LetterChoice

        func run() async throws {
            let count = try await choice.apply { file, ids, consumer in
                try await file.discard(ids, consumer: consumer)
            }
            choice.report(count, "discarded")
        }
    }
}

/// Which dead letters are meant.
struct LetterChoice: ParsableArguments {
    @Argument(help: "Ids as the list shows them, such as orders/17.")
    var ids: [String] = []

    @Flag(help: "All open ones.")
    var all = false

    @Option(help: "Only those of this consumer.")
    var consumer: String?

    @OptionGroup var options: StoreOptions

    func validate() throws {
        guard all != !ids.isEmpty else { throw ValidationError("Name letters by their ids, or all of them by --all.") }
        for id in ids { _ = try LetterID(parsing: id) }
    }

    /// - Returns: how many letters were open and are changed.
    /// - Throws: ``WorkFailed`` when a letter that was named is not open.
    func apply(
        _ change: (ServiceFile, [Int64]?, String?) async throws -> Int
    ) async throws -> Int {
        var changed = 0
        let wanted = try ids.map { try LetterID(parsing: $0) }
        let files = try await options.files()
        if let unknown = wanted.first(where: { wanted in !files.contains { $0.name == wanted.service } }) {
            throw ValidationError("There is no service \(unknown.service) in \(options.store).")
        }
        for file in files {
            let numbers = wanted.filter { $0.service == file.name }.map(\.number)
            if !all, numbers.isEmpty { continue }
            changed += try await change(file, all ? nil : numbers, consumer)
        }
        if !all, changed < wanted.count {
            throw WorkFailed(message: "\(wanted.count - changed) of \(wanted.count) letters are not open")
        }
        return changed
    }

    func report(_ count: Int, _ what: String) {
        if options.json {
            Console.print("{\"letters\":\(count)}")
        } else {
            Console.print("\(count) \(count == 1 ? "letter" : "letters") \(what).")
        }
    }
}
