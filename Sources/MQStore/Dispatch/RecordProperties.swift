import MQProtocol

/// The properties of a record that dispatching looks at, found in one pass over the text; nothing is copied.
struct RecordProperties {
    var tags: Range<Int>?
    var keys: Range<Int>?
    var uniqueKey: Range<Int>?
    var delayLevel: Range<Int>?
    var timerOut: Range<Int>?

    /// Names are compared as big-endian words: `TAGS`, `KEYS`, `DELAY`, `UNIQ_KEY` and `TIMER_OUT_MS`.
    init(_ record: Span<UInt8>, _ range: Range<Int>) {
        PropertyScan.forEach(in: record, range: range) { name, value in
            let start = name.lowerBound
            switch name.count {
            case 4:
                let word = record.bigEndian(UInt32.self, at: start)
                if word == 0x5441_4753 { tags = value } else if word == 0x4B45_5953 { keys = value }
            case 5:
                let isDelay = record.bigEndian(UInt32.self, at: start) == 0x4445_4C41 && record[start + 4] == 0x59
                if isDelay { delayLevel = value }
            case 8:
                if record.bigEndian(UInt64.self, at: start) == 0x554E_4951_5F4B_4559 { uniqueKey = value }
            case 12:
                let isTimer =
                    record.bigEndian(UInt64.self, at: start) == 0x5449_4D45_525F_4F55
                    && record.bigEndian(UInt32.self, at: start + 8) == 0x545F_4D53
                if isTimer { timerOut = value }
            default:
                break
            }
        }
    }

    /// What the consume queue keeps beside the record's place: the hash of its tags or the time it is due.
    func tagsCode(
        _ kind: ConsumeQueue.Kind,
        _ record: Span<UInt8>,
        storedAt time: Timestamp,
        levels: DelayLevels
    ) -> Int64 {
        switch kind {
        case .tagged:
            break
        case .delayLevels:
            if let delayLevel, let level = PropertyScan.integer(record, delayLevel), level > 0 {
                return levels.deliveryTime(level: Int(clamping: level), storedAt: time).milliseconds
            }
        case .timer:
            if let timerOut, let due = PropertyScan.integer(record, timerOut) { return due }
        }
        return tags.map { MQProtocol.tagsCode(record.extracting($0)) } ?? 0
    }
}
