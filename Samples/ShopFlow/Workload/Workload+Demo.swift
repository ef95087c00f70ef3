import ShopEvents

extension Workload {
    private static let products = 40
    /// Of these there are few, so that some orders come too late.
    private static let rareProducts = 3
    private static let rareStock: Int64 = 40

    private static let firstNames = [
        "Ada", "Björn", "Chloé", "Dmitri", "Emre", "Fatou", "Grace", "Hüseyin", "李雷", "Zoë",
    ]
    private static let lastNames = ["Almeida", "Brandt", "Costa", "Dvořák", "Eriksen", "Fischer", "García", "Novák"]

    /// Made-up orders, some returns, and a new user for every eighth order.
    static func demo(orders count: Int, _ settings: WorkloadSettings) -> Workload {
        var random = SeededNumbers(seed: settings.seed)
        var workload = Workload()
        workload.shelves = (0..<products).map { number in
            let isRare = number < rareProducts
            return Shelf(
                code: code(number), quantity: isRare ? min(rareStock, settings.openingStock) : settings.openingStock)
        }
        for number in 1...max(1, count) {
            let id = "D" + padded(number)
            let lines = self.lines(&random)
            let behaviour = Behaviour.of(id, unpaid: settings.unpaid, seed: settings.seed)
            workload.orders.append(PlannedOrder(id: id, lines: lines, behaviour: behaviour))
            if number % 50 == 0 {
                workload.returns.append(PlannedReturn(id: "C" + padded(number), lines: Array(lines.prefix(1))))
            }
            if number % 8 == 1 { workload.users.append(user(number, &random)) }
        }
        let used = workload.orders.map(\.lines.count).reduce(0, +) + workload.returns.map(\.lines.count).reduce(0, +)
        workload.input = InputCounts(lines: used, used: used)
        return workload
    }

    private static func lines(_ random: inout SeededNumbers) -> [Line] {
        (1...Int.random(in: 1...5, using: &random)).map { position in
            let isRare = Int.random(in: 0..<50, using: &random) == 0
            let number = Int.random(in: isRare ? 0..<rareProducts : rareProducts..<products, using: &random)
            return Line(position: position, code: code(number), quantity: .random(in: 1...8, using: &random))
        }
    }

    private static func user(_ number: Int, _ random: inout SeededNumbers) -> PlannedUser {
        let first = firstNames.randomElement(using: &random) ?? "Ada"
        let last = lastNames.randomElement(using: &random) ?? "Brandt"
        let phone = Bool.random(using: &random) ? "+49 30 " + padded(number) : nil
        return PlannedUser(address: "user\(padded(number))@example.org", name: "\(first) \(last)", phone: phone)
    }

    private static func code(_ number: Int) -> String { "P" + String(100 + number) }

    private static func padded(_ number: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, 6 - digits.count)) + digits
    }
}
