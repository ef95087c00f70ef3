import Escrow
import Foundation
import GRDB
import Logging
import MQClient

/// A service for the crash tests: places orders, reserves stock for them, lets some of them time out, and ends itself
/// without a word at the moment it was told to. Started again on the same directory, it finishes.
///
///     CrashService DIRECTORY BROKER ORDERS [STEP COUNT]
///
/// BROKER is `embedded`, or the address of a name server. STEP is a step of the framework, or `body`, `handler`.
@main
struct CrashService {
    static func main() async {
        do {
            try await serve()
        } catch {
            print("failed: \(error)")
            exit(1)
        }
    }

    private static func serve() async throws {
        let arguments = CommandLine.arguments.dropFirst()
        guard arguments.count >= 3, let orders = Int(arguments[arguments.startIndex + 2]) else {
            return print("usage: CrashService DIRECTORY BROKER ORDERS [STEP COUNT]")
        }
        let directory = arguments[arguments.startIndex]
        let crash = Crash(Array(arguments.dropFirst(3)))
        // Two of these processes may open the file at the same moment.
        var waiting = Configuration()
        waiting.busyMode = .timeout(5)
        let pool = try DatabasePool(path: directory + "/service.sqlite", configuration: waiting)
        try Shop.makeTables(pool)
        var configuration = try configuration(arguments[arguments.startIndex + 1], directory)
        configuration.steps = StepObserver { crash.reached($0.rawValue) }
        configuration.logger = Logger(label: "service") { StreamLogHandler.standardError(label: $0) }
        configuration.logger.logLevel = .warning
        configuration.sweepInterval = .milliseconds(200)
        let shop = Shop(escrow: try Escrow("shop", database: pool, configuration: configuration), crash: crash)
        try shop.register()
        try await withThrowingTaskGroup { tasks in
            tasks.addTask { try await shop.escrow.run() }
            tasks.addTask {
                try await shop.place(orders)
                try await Shop.awaitEnd(pool, orders: orders)
            }
            try await tasks.next()
            tasks.cancelAll()
        }
        print("DONE")
    }

    private static func configuration(_ broker: String, _ directory: String) throws -> EscrowConfiguration {
        if broker == "embedded" { return .embedded(directory + "/broker") }
        return .cluster(nameServers: try NameServerAddresses(broker))
    }
}
