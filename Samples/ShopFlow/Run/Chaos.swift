import Escrow
import MQProtocol
import Synchronization

/// Trouble made on purpose, the same for the same seed wherever it depends on the events alone.
final class Chaos: Sendable {
    /// Thrown after a handler's writes.
    struct Failure: Error, CustomStringConvertible {
        var description: String { "a failure made on purpose" }
    }

    /// In percent.
    static let doubledDeliveries: UInt32 = 10
    static let failedRuns: UInt32 = 5
    static let withheldVerdicts: UInt32 = 5
    static let repeatedEvents: UInt32 = 2
    /// How often services are stopped without drain.
    static let stops = 3
    /// A handler fails at most so often in a row for one event, which its retries can bear.
    private static let failuresInARow = 2

    private let seed: UInt64
    private let failures = Mutex<[String: Int]>([:])

    init(seed: UInt64) {
        self.seed = seed
    }

    func apply(to configuration: inout EscrowConfiguration) {
        configuration.doublesDelivery = { [self] in strikes("double/\($0)", Self.doubledDeliveries) }
        configuration.afterHandler = { [self] in try fail("\($0)/\($1)") }
        configuration.withholdsVerdict = { [self] in strikes("withhold/\($0)", Self.withheldVerdicts) }
        configuration.repeatsEvent = { [self] in strikes("repeat/\($0)", Self.repeatedEvents) }
    }

    /// Whether the stop with this number, from 1, is due.
    static func isStopDue(_ number: Int, done: Int, of all: Int) -> Bool {
        number <= stops && done * (stops + 1) >= number * all
    }

    private func strikes(_ what: String, _ percent: UInt32) -> Bool {
        let bytes = Array("\(seed)/\(what)".utf8)
        return crc32(bytes.span) % 100 < percent
    }

    private func fail(_ run: String) throws {
        let failed = failures.withLock { $0[run] ?? 0 }
        guard failed < Self.failuresInARow, strikes("fail/\(failed)/\(run)", Self.failedRuns) else { return }
        failures.withLock { $0[run] = failed + 1 }
        throw Failure()
    }
}
