/// What the broker is meant to reach on a machine of two cores, and whether this run did.
enum Aims {
    /// One line for each aim that something was measured for.
    static func check(_ figures: [Figure]) -> [String] {
        let byName = Dictionary(figures.map { ($0.name, $0) }) { first, _ in first }
        return (throughput(byName) + costs(byName)).compactMap(\.line)
    }

    private static func throughput(_ figures: [String: Figure]) -> [Aim] {
        [
            Aim(
                text: "sends at 64 in flight, share of the echo",
                measured: share(figures["send-128-async-64"], of: "echo"), limit: 0.6, isUpperLimit: false),
            Aim(
                text: "sync sends at 64 in flight, share of the bare group commit",
                measured: share(figures["send-128-sync-64"], of: "group commit"), limit: 0.5, isUpperLimit: false),
            Aim(
                text: "sync sends at 256 in flight, share of the async ones",
                measured: ratio(figures["send-128-sync-256"], figures["send-128-async-256"]), limit: 0.75,
                isUpperLimit: false),
            Aim(
                text: "backlog drained, messages per second",
                measured: figures["drain-async-32"]?.measurement?.perSecond, limit: 300_000, isUpperLimit: false,
                places: 0),
            Aim(
                text: "start-up to first send, seconds",
                measured: figures["start-up to first send"]?.seconds, limit: 0.3, isUpperLimit: true, places: 3),
        ]
    }

    private static func costs(_ figures: [String: Figure]) -> [Aim] {
        var aims = [
            Aim(
                text: "broker CPU seconds per million sends at 64 in flight",
                measured: figures["send-128-async-64"]?.cpuSecondsPerMillion, limit: 7, isUpperLimit: true),
            Aim(
                text: "broker CPU seconds per million transactions at 32 in flight",
                measured: figures["transaction-128-async-32"]?.cpuSecondsPerMillion, limit: 14.75, isUpperLimit: true),
            Aim(
                text: "anonymous memory when idle, MiB",
                measured: figures["idle"]?.anonymousBytes.map { Double($0) / 1_048_576 }, limit: 50,
                isUpperLimit: true, places: 1),
        ]
        for name in ["send-128-sync-1", "send-128-sync-64", "send-128-sync-1-aged", "send-128-sync-64-aged"] {
            aims.append(
                Aim(
                    text: "\(name), bytes written to disk per message",
                    measured: figures[name]?.diskBytesPerMessage, limit: 8192, isUpperLimit: true, places: 0))
        }
        return aims
    }

    private static func share(_ figure: Figure?, of limit: String) -> Double? {
        guard let figure, let measurement = figure.measurement,
            let best = figure.limits.first(where: { $0.name == limit }), best.perSecond > 0
        else { return nil }
        return measurement.perSecond / best.perSecond
    }

    private static func ratio(_ figure: Figure?, _ other: Figure?) -> Double? {
        guard let rate = figure?.measurement?.perSecond, let base = other?.measurement?.perSecond, base > 0 else {
            return nil
        }
        return rate / base
    }
}
