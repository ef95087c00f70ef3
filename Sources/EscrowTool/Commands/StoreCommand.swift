import ArgumentParser
import Foundation
import Logging
import MQBroker
import MQProtocol
import MQStore

struct StoreCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "store",
        abstract: "Verify or repair the store directory of a stopped broker, ours or RocketMQ's.",
        subcommands: [VerifyCommand.self, RepairCommand.self])
}

/// Which store, and how it is read.
struct StoreDirectory: ParsableArguments {
    @Argument(help: ArgumentHelp("The broker's store directory (storePathRootDir).", valueName: "dir"))
    var directory: String

    @Option(
        name: .customShort("c"),
        help: ArgumentHelp(
            "The broker's properties file: needed for several commit-log paths, changed delay levels, or file sizes "
                + "that the files do not show.",
            valueName: "file"))
    var configurationFile: String?

    @Flag(help: "Print one JSON object.")
    var json = false

    /// The store's sizes are those that its files show.
    func configuration() throws -> StoreConfiguration {
        var broker = BrokerConfiguration()
        if let configurationFile {
            guard let text = try? String(contentsOfFile: configurationFile, encoding: .utf8) else {
                throw ValidationError("cannot read \(configurationFile): name a file of key=value lines behind -c.")
            }
            _ = try broker.apply(PropertiesFile(parsing: text), named: configurationFile)
        }
        broker.storage.directory = absolute
        if configurationFile == nil { broker.storage.commitLogDirectories = [] }
        var store = broker.storeConfiguration()
        try StoreShape.apply(to: &store, device: FileDevice())
        return store
    }

    private var absolute: String {
        let path = URL(fileURLWithPath: directory).standardizedFileURL.path(percentEncoded: false)
        return path.hasSuffix("/") && path.count > 1 ? String(path.dropLast()) : path
    }
}

struct VerifyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Read every file of a store and compare them with each other; writes nothing.",
        discussion: "One line for each finding: what is wrong, where, and what repairing would do. A note needs no "
            + "repair, damage is mended without loss, a loss is in no other file. Exit code 0: clean; 67: damage.")

    @OptionGroup var store: StoreDirectory

    func run() async throws {
        let verification = try StoreVerification.run(store.configuration())
        Console.print(try store.json ? verification.json() : verification.text)
        guard verification.report.damage.isEmpty else { throw StoreDamaged() }
    }
}

struct RepairCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "repair",
        abstract: "Mend what verify finds: rebuild what is derived, restore previous versions, cut a torn tail.",
        discussion: "Nothing is deleted: what is unreadable goes to the store's quarantine folder. Good records are "
            + "never touched. Exit code 0: clean now; 67: what is listed remains, or with --dry-run, would be mended.")

    @OptionGroup var store: StoreDirectory

    @Flag(help: "Only print what would be done.")
    var dryRun = false

    func run() async throws {
        let configuration = try store.configuration()
        let found = try StoreVerification.run(configuration)
        let steps = found.report.steps
        if dryRun {
            Console.print(try store.json ? found.json(steps: steps) : found.plan)
            guard steps.isEmpty, found.report.damage.isEmpty else { throw StoreDamaged() }
            return
        }
        if steps.isEmpty {
            Console.print(try store.json ? found.json(steps: []) : found.text + "\nThere is nothing to repair.")
            guard found.report.damage.isEmpty else { throw StoreDamaged() }
            return
        }
        let repair = StoreRepair(
            configuration, device: FileDevice(), time: .system, logger: Logger(label: "escrow.store"))
        try repair.run(found.report) { step in if !store.json { Console.print("repair: \(step.text)") } }
        let left = try StoreVerification.run(configuration)
        Console.print(try store.json ? left.json(steps: steps) : left.text)
        guard left.report.damage.isEmpty else { throw StoreDamaged() }
    }
}
