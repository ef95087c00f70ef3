import ArgumentParser
import ShopFlow

struct DemoCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo",
        abstract: "Run made-up orders through three services, and check that nothing is lost, doubled or forgotten.")

    @Option(help: "How many orders (default: \(WorkloadSettings.defaultOrders)).")
    var orders: Int?

    @OptionGroup var options: FlowOptions

    func validate() throws {
        if let orders, !(1...1_000_000).contains(orders) { throw ValidationError("--orders is 1 to 1000000.") }
    }

    func run() async throws {
        let known = try options.store.flatMap { try FlowRun.workload(ofStore: $0) }
        var count = orders ?? WorkloadSettings.defaultOrders
        if orders == nil, case .demo(let earlier) = known?.source { count = earlier }
        try await FlowSession.run(try options.settings(.demo(orders: count), known: known), json: options.json)
    }
}
