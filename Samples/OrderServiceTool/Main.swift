import ArgumentParser
import Escrow
import OrderService
import SampleTool
import ShopEvents

@main
enum Main {
    static func main() async { await SampleTool.main(OrderServiceCommand.self) }
}

struct OrderServiceCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "order-service", abstract: "Takes orders and payments; cancels what nobody pays.",
        discussion: """
            Commands on standard input, one a line:
              place ORDER CODE=QUANTITY ...
              pay ORDER
              cancel ORDER
              show ORDER
            """)

    @OptionGroup var options: ServiceOptions

    @Option(help: "Seconds that an order waits for its payment.")
    var timeout = 1800

    func validate() throws {
        guard timeout > 0 else { throw ValidationError("--timeout is a number of seconds.") }
    }

    func run() async throws {
        let database = try options.open(OrderService.tables)
        let shop = try OrderService(
            database, configuration: try options.configuration(), paymentTimeout: .seconds(timeout))
        let show: @Sendable (String) async throws -> String = { order in
            let state = try await shop.state(of: order)
            return "\(order) \(state?.rawValue ?? "was never placed")"
        }
        try await options.run([
            shop,
            Commands { words in
                guard words.count > 1 else { return "\(words[0]) needs an order" }
                let order = words[1]
                switch words[0] {
                case "place": _ = try await shop.place(order, lines: try lines(words.dropFirst(2)))
                case "pay": return "\(order) \(try await shop.pay(order, payment: "pay-\(order)").get().rawValue)"
                case "cancel": _ = try await shop.cancel(order)
                case "show": break
                default: return "there is no command \(words[0])"
                }
                return try await show(order)
            },
        ])
    }
}

/// Lines written as `CODE=QUANTITY`.
private func lines(_ words: some Sequence<String>) throws -> [Line] {
    try words.enumerated().map { index, word in
        let parts = word.split(separator: "=")
        guard parts.count == 2, let quantity = Int64(parts[1]), quantity > 0 else {
            throw ValidationError("\(word) is no line: write CODE=QUANTITY")
        }
        return Line(position: index + 1, code: String(parts[0]), quantity: quantity)
    }
}
