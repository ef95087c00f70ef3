import ShopEvents

extension Workload {
    /// Orders and returns of a file. Its customers have no addresses, so nobody registers.
    static func replay(_ file: OrderFile, _ settings: WorkloadSettings) -> Workload {
        var workload = Workload()
        workload.input = file.counts
        var shelved: Set<ExactText> = []
        for invoice in file.invoices where !invoice.lines.isEmpty {
            for line in invoice.lines where shelved.insert(ExactText(line.code)).inserted {
                workload.shelves.append(Shelf(code: line.code, quantity: settings.openingStock))
            }
            if invoice.isReturn {
                workload.returns.append(PlannedReturn(id: invoice.number, lines: invoice.lines))
            } else {
                let behaviour = Behaviour.of(invoice.number, unpaid: settings.unpaid, seed: settings.seed)
                workload.orders.append(
                    PlannedOrder(id: invoice.number, lines: invoice.lines, behaviour: behaviour))
            }
        }
        return workload
    }
}
