import MQProtocol

/// How often the producers of undecided half messages were asked: `config/transactionChecks.json`.
///
/// A stock broker writes a whole new half message at each check to keep its count. Here a lost file costs further
/// checks, nothing else.
struct CheckCounts: JSONBody, Equatable {
    /// The most that are written: beyond, counts begin anew after a restart.
    static let limit = 100_000

    /// By the place of the half message's newest copy.
    var counts: [LogOffset: Int]

    init(_ counts: [LogOffset: Int] = [:]) {
        self.counts = counts
    }

    init(json: JSONValue) throws(BodyError) {
        guard case .array(let pairs)? = json["checks"] else { throw BodyError(.missingMember, "checks") }
        counts = [:]
        for pair in pairs {
            guard let offset = pair["offset"]?.integer, let count = pair["count"]?.integer, count >= 0 else {
                throw BodyError(.invalidMember, "checks")
            }
            counts[LogOffset(rawValue: offset)] = Int(clamping: min(count, 1_000_000))
        }
    }

    var json: JSONValue {
        let pairs = counts.sorted { $0.key < $1.key }.map { offset, count -> JSONValue in
            ["offset": JSONValue(offset.rawValue), "count": JSONValue(count)]
        }
        return ["checks": .array(pairs)]
    }
}
