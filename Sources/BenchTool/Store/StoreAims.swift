/// What the store is meant to reach on a machine of two cores, and whether this run did.
enum StoreAims {
    static func check(_ figures: [StoreFigure]) -> [String] {
        let values = Dictionary(figures.map { ($0.name, $0.value) }) { first, _ in first }
        // A disk writes whole blocks, and the file system its journal: see what a bare file costs.
        let perFlush = 4096.0
        return [
            Aim(
                text: "sync acknowledgements at 64 in flight, share of the bare group commit",
                measured: values["share of the bare group commit, 64 waiters"], limit: 0.7, isUpperLimit: false),
            Aim(
                text: "bytes written per flush above the data, fresh store",
                measured: values["written per flush above the data, fresh"], limit: perFlush, isUpperLimit: true,
                places: 0),
            Aim(
                text: "bytes written per flush above the data, aged store",
                measured: values["written per flush above the data, aged"], limit: perFlush, isUpperLimit: true,
                places: 0),
            Aim(
                text: "p99 of an append under load, ms", measured: values["append under load, p99"].map { $0 / 1000 },
                limit: 5, isUpperLimit: true),
            Aim(
                text: "longest append around a roll, ms",
                measured: values["longest append around a roll"].map { $0 / 1000 }, limit: 5, isUpperLimit: true),
            Aim(
                text: "100,000 queues opened, seconds", measured: values["open 100000 queues"], limit: 2,
                isUpperLimit: true),
            Aim(
                text: "100,000 queues, MiB", measured: values["memory of 100000 queues"], limit: 500,
                isUpperLimit: true, places: 0),
            Aim(
                text: "recovery scan, GiB/s", measured: values["recovery scan"], limit: 1, isUpperLimit: false),
        ].compactMap(\.line)
    }
}
