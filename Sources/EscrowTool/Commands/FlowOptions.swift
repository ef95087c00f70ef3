import ArgumentParser
import MQClient
import ShopFlow

/// What `demo` and `replay` are told.
struct FlowOptions: ParsableArguments {
    @Option(help: "Percent of orders that are not paid in time (default: 10).")
    var unpaid: Int?

    @Option(
        help: ArgumentHelp(
            "Units of each stock code at the beginning (default: 100000). In the demo three codes are scarce on "
                + "purpose: of them there are 40 at most, so that some orders are rejected."))
    var openingStock: Int64?

    @Option(help: "How long an order waits for its payment: seconds, or with a unit as in 500ms or 1m.")
    var timeout = TimeLength(.seconds(2))

    @Option(
        help: ArgumentHelp(
            "The directory that keeps everything, so that an interrupted run can go on (default: a temporary one).",
            valueName: "dir"))
    var store: String?

    @Option(
        help: ArgumentHelp(
            "The same seed makes the same customers (default: 1). In replay, where orders are the file's, it decides "
                + "which unpaid ones are paid too late; with --chaos also what goes wrong."))
    var seed: UInt64?

    @Flag(help: "Double deliveries, let handlers fail, withhold verdicts, send events again, stop services.")
    var chaos = false

    @Option(
        name: [.customShort("n"), .customLong("name-servers")],
        help: ArgumentHelp(
            "Use the brokers of these name servers instead of one in this process. The run creates its topics there; "
                + "where it may not, the brokers have to create them automatically.", valueName: "host:port;..."))
    var nameServers: String?

    @Flag(help: "Print one JSON object on one line instead of the report.")
    var json = false

    func validate() throws {
        if let unpaid, !(0...100).contains(unpaid) { throw ValidationError("--unpaid is a percentage: 0 to 100.") }
        if let openingStock, !(0...1_000_000_000_000).contains(openingStock) {
            throw ValidationError("--opening-stock is 0 to 1000000000000 units.")
        }
        if let store, store.isEmpty { throw ValidationError("--store needs a directory.") }
    }

    /// - Parameter known: of the store that the run goes on with, for what was not given now.
    func settings(_ source: WorkloadSettings.Source, known: WorkloadSettings?) throws -> FlowSettings {
        var workload = WorkloadSettings(source)
        workload.unpaid = unpaid ?? known?.unpaid ?? workload.unpaid
        workload.openingStock = openingStock ?? known?.openingStock ?? workload.openingStock
        workload.seed = seed ?? known?.seed ?? workload.seed
        var settings = FlowSettings(workload)
        settings.store = store
        settings.paymentTimeout = timeout.duration
        settings.isChaotic = chaos
        settings.nameServers = try nameServers.map { try NameServerAddresses($0) }
        return settings
    }
}

/// A length of time on the command line.
struct TimeLength: ExpressibleByArgument, CustomStringConvertible {
    var duration: Duration

    init(_ duration: Duration) {
        self.duration = duration
    }

    /// Nil for anything but a positive number with `ms`, `s`, `m`, `h` or nothing behind it.
    init?(argument: String) {
        let number = argument.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
        guard let value = Double(number), value > 0 else { return nil }
        let unit: Double
        switch argument.dropFirst(number.count) {
        case "ms": unit = 0.001
        case "", "s": unit = 1
        case "m", "min": unit = 60
        case "h": unit = 3600
        default: return nil
        }
        guard value * unit <= 86_400 * 30, value * unit >= 0.001 else { return nil }
        duration = .milliseconds(Int64(value * unit * 1000))
    }

    var description: String { "\(duration / .seconds(1))" }
    var defaultValueDescription: String { "2" }
}
