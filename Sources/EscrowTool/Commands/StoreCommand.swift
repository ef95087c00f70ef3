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
                + "that the files do not show: one file alone shows a default size only.",
            valueName: "file"))
    var configurationFile: String?

    @Flag(help: "Print one JSON object.")
    var json = false

    /// The store's sizes are those that the broker's file names, else those that its files show.
    func configuration() throws -> StoreConfiguration {
        var broker = BrokerConfiguration()
        var named: Set<StoreShape.Size>?
        if let configurationFile { named = try apply(configurationFile, to: &broker) }
        broker.storage.directory = absolute
        var store = broker.storeConfiguration()
        try StoreShape.apply(to: &store, device: FileDevice(), named: named)
        return store
    }

    /// - Returns: the sizes that the file names.
    private func apply(_ path: String, to broker: inout BrokerConfiguration) throws -> Set<StoreShape.Size> {
        guard let text = try? String(contentsOfFile: path, encoding: .utf8) else {
            throw ValidationError("cannot read \(path): name a file of key=value lines behind -c.")
        }
        let sizes: [(size: StoreShape.Size, key: WritableKeyPath<BrokerConfiguration.Storage, Int>)] = [
            (.logFile, \.segmentBytes), (.queueFile, \.queueSegmentBytes), (.indexFile, \.indexSlots),
            (.indexFile, \.indexEntries),
        ]
        let usual = broker.storage
        // No file may name a size of 0: what is 0 afterwards was not named.
        for (_, key) in sizes { broker.storage[keyPath: key] = 0 }
        _ = try broker.apply(PropertiesFile(parsing: text), named: path)
        var named: Set<StoreShape.Size> = []
        for (size, key) in sizes {
            if broker.storage[keyPath: key] > 0 {
                named.insert(size)
            } else {
                broker.storage[keyPath: key] = usual[keyPath: key]
            }
        }
        return named
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
        let repair = StoreRepair(
            configuration, device: FileDevice(), time: .system, logger: Logger(label: "escrow.store"))
        // Until the last look: no broker may change in between what was found.
        let lock = try dryRun ? nil : repair.lock()
        defer { withExtendedLifetime(lock) {} }
        let found = try StoreVerification.run(configuration, lock: lock)
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
        try repair.run(found.report, lock: lock) { step in
            if !store.json { Console.print("repair: \(step.text)") }
        }
        let left = try StoreVerification.run(configuration, lock: lock)
        Console.print(try store.json ? left.json(steps: steps) : left.text)
        guard left.report.damage.isEmpty else { throw StoreDamaged() }
    }
}
