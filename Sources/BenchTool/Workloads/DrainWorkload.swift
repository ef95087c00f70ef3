import NIOCore

/// Reads a backlog with pulls of 32 messages, `depth` pulls under way on every queue.
///
/// Each pull asks for the range behind the one asked for before it: a backlog has no gaps, and the answer's own next
/// offset is checked against that. Records are walked by their sizes, as any consumer must.
struct DrainWorkload: Workload {
    static let messagesPerPull = 32

    private let topic: String
    private let encoding: WireEncoding
    /// The next offset to ask for, and the end, of every queue.
    private var next: [Int64]
    private let end: [Int64]
    private var asked: [(queue: Int, offset: Int64)]
    /// False against the echo server, whose answer is the same whatever was asked for.
    private let verifies: Bool

    init(topic: String, queueEnds: [Int64], slots: Int, encoding: WireEncoding, verifies: Bool = true) {
        self.topic = topic
        self.verifies = verifies
        self.encoding = encoding
        next = Array(repeating: 0, count: queueEnds.count)
        end = queueEnds
        asked = Array(repeating: (0, 0), count: slots)
    }

    mutating func begin(slot: Int, now: Moment, into buffer: inout ByteBuffer) -> Bool {
        let preferred = slot % next.count
        let order = (0..<next.count).lazy.map { [count = next.count] in (preferred + $0) % count }
        guard let queue = order.first(where: { next[$0] < end[$0] }) else { return false }
        asked[slot] = (queue, next[queue])
        pull(slot: slot, into: &buffer)
        next[queue] += Int64(Self.messagesPerPull)
        return true
    }

    mutating func receive(_ response: Response, slot: Int, now: Moment, into buffer: inout ByteBuffer) -> Step {
        let (queue, offset) = asked[slot]
        guard response.code == 0, let nextOffset = response.integer(.nextBeginOffset) else {
            return response.refusal("A pull of queue \(queue) at \(offset)")
        }
        guard verifies else { return .finished(messages: recordCount(response.body)) }
        let wanted = min(offset + Int64(Self.messagesPerPull), end[queue])
        let records = recordCount(response.body)
        guard Int64(records) == nextOffset - offset else {
            return .refused("A pull of queue \(queue) at \(offset) brought \(records) records up to \(nextOffset)")
        }
        if nextOffset < wanted {
            // A shorter answer than asked for: the rest of this range is still this slot's.
            asked[slot].offset = nextOffset
            short += Int(nextOffset - offset)
            pull(slot: slot, into: &buffer)
            return .continued
        }
        return .finished(messages: Int(wanted - offset) + takeShort())
    }

    /// Messages of ranges that needed more than one pull, counted when the range is complete.
    private var short = 0

    private mutating func takeShort() -> Int {
        defer { short = 0 }
        return short
    }

    private func pull(slot: Int, into buffer: inout ByteBuffer) {
        let fields = [
            ("consumerGroup", "CG_bench"), ("topic", topic), ("queueId", String(asked[slot].queue)),
            ("queueOffset", String(asked[slot].offset)), ("maxMsgNums", String(Self.messagesPerPull)),
            ("sysFlag", "4"), ("commitOffset", "0"), ("suspendTimeoutMillis", "0"), ("subscription", "*"),
            ("subVersion", "0"), ("expressionType", "TAG"),
        ]
        RequestWriter.write(code: 11, slot: slot, fields: fields, encoding: encoding, into: &buffer)
    }

    private func recordCount(_ body: ByteBuffer) -> Int {
        var index = body.readerIndex
        var records = 0
        while let size: Int32 = body.getInteger(at: index), size > 0, index + Int(size) <= body.writerIndex {
            records += 1
            index += Int(size)
        }
        return index == body.writerIndex ? records : -1
    }
}
