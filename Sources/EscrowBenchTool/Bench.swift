import Foundation
import MQEmbedded

/// All measurements, one after the other.
struct Bench {
    let seconds: Double
    let messages: Int
    let only: String

    private static let inFlight = [1, 16, 64]

    func run(_ say: (String) -> Void) async throws {
        say("measurement                                        per second   p50 ms   p99 ms")
        if wants("raw sqlite") { say(try await RawSQLite.measure(seconds: seconds)) }
        for flush in [EmbeddedBrokerConfiguration.Flush.asynchronous, .synchronous] {
            let suffix = flush == .synchronous ? "sync" : "async"
            for count in Self.inFlight where wants("bare client \(suffix)") {
                try await Site.with(flush) { site in
                    say(try await site.bareTransactions(inFlight: count, seconds: seconds, suffix))
                }
            }
            for count in Self.inFlight where wants("transactions \(suffix)") {
                try await Site.with(flush) { site in
                    say(try await site.transactions(inFlight: count, seconds: seconds, suffix))
                }
            }
            if wants("handled \(suffix)") {
                try await Site.with(flush) { site in say(try await site.handled(messages, suffix)) }
            }
            if wants("deadlines \(suffix)") {
                try await Site.with(flush) { site in
                    say(try await site.deadlines(perSecond: 1000, seconds: seconds, suffix))
                }
            }
        }
    }

    private func wants(_ name: String) -> Bool {
        only.isEmpty || name.contains(only)
    }
}

/// One line of the table.
struct Line {
    var name: String
    var perSecond: Double
    var milliseconds: [Double] = []
    var note = ""

    var text: String {
        let sorted = milliseconds.sorted()
        let rate = String(Int(perSecond.rounded()))
        return Self.pad(name, 50) + Self.right(rate, 11) + Self.right(Self.percentile(sorted, 0.5), 9)
            + Self.right(Self.percentile(sorted, 0.99), 9) + (note.isEmpty ? "" : "  \(note)")
    }

    private static func percentile(_ sorted: [Double], _ share: Double) -> String {
        guard !sorted.isEmpty else { return "" }
        let value = sorted[min(sorted.count - 1, Int(Double(sorted.count) * share))]
        return String(format: "%.2f", value)
    }

    private static func pad(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }

    private static func right(_ text: String, _ width: Int) -> String {
        String(repeating: " ", count: max(0, width - text.count)) + text
    }
}
