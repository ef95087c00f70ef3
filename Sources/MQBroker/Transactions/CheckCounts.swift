import MQProtocol

/// How often the producers of undecided half messages were asked, and where a start may begin to read the half and op
/// queues: `config/transactionChecks.json`.
///
/// A stock broker writes a whole new half message at each check to keep its count. Here a lost file costs further
/// checks and a longer start, nothing else. A progress that is too high would leave undecided halves out, so the file
/// carries a checksum; RocketMQ's place for it, `consumerOffset.json`, has none when a stock broker writes it.
struct CheckCounts: JSONBody, Equatable {
    struct Progress: Sendable, Equatable {
        var half: QueueOffset
        var op: QueueOffset
    }

    /// The most that are written: beyond, counts begin anew after a restart.
    static let limit = 100_000

    /// By the place of the half message's newest copy.
    var counts: [LogOffset: Int]
    /// Everything before is decided. Nil until it was noted once.
    var progress: Progress?

    init(_ counts: [LogOffset: Int] = [:], progress: Progress? = nil) {
        self.counts = counts
        self.progress = progress
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
        if let half = json["half"]?.integer, let op = json["op"]?.integer {
            progress = Progress(half: QueueOffset(rawValue: half), op: QueueOffset(rawValue: op))
        }
        let isSealed = progress != nil || json["half"] != nil || json["op"] != nil || json["crc32"] != nil
        if isSealed, json["crc32"]?.integer != checksum { throw BodyError(.invalidMember, "crc32") }
    }

    var json: JSONValue {
        let pairs = sorted.map { offset, count -> JSONValue in
            ["offset": JSONValue(offset.rawValue), "count": JSONValue(count)]
        }
        guard let progress else { return ["checks": .array(pairs)] }
        return [
            "checks": .array(pairs), "half": JSONValue(progress.half.rawValue), "op": JSONValue(progress.op.rawValue),
            "crc32": JSONValue(checksum),
        ]
    }

    private var sorted: [(key: LogOffset, value: Int)] { counts.sorted { $0.key < $1.key } }

    /// Of the numbers, whatever the text around them.
    private var checksum: Int64 {
        var text = progress.map { "\($0.half.rawValue) \($0.op.rawValue)\n" } ?? ""
        for (offset, count) in sorted { text += "\(offset.rawValue) \(count)\n" }
        return Int64(crc32(text.utf8.span))
    }
}
