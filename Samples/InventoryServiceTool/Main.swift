import ArgumentParser
import InventoryService
import SampleTool

@main
enum Main {
    static func main() async { await SampleTool.main(InventoryServiceCommand.self) }
}

struct InventoryServiceCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inventory-service", abstract: "Reserves the stock of orders, all of it or none.",
        discussion: """
            Commands on standard input, one a line:
              stock CODE QUANTITY    put a code on the shelf that is not there yet
              show CODE              units that can still be reserved
            """)

    @OptionGroup var options: ServiceOptions

    func run() async throws {
        let database = try options.open(InventoryService.tables)
        let inventory = try InventoryService(database, configuration: try options.configuration())
        try await options.run([
            inventory,
            Commands { words in
                switch (words[0], words.count) {
                case ("stock", 3):
                    guard let quantity = Int64(words[2]), quantity >= 0 else { return "\(words[2]) is no quantity" }
                    try await inventory.stock(words[1], quantity: quantity)
                case ("show", 2): break
                default: return "there is no such command: stock CODE QUANTITY, show CODE"
                }
                let available = try await inventory.available(words[1])
                return "\(words[1]) \(available.map { "\($0) available" } ?? "was never stocked")"
            },
        ])
    }
}
