import NIOCore

/// Sends a half message, then commits it and waits for the answer to the commit.
///
/// Stock producers commit one-way; the answer is asked for here so that an operation's end can be seen.
struct TransactionWorkload: Workload {
    private let half: FrameTemplate
    private let group: String
    private let queues: Int
    private var sequence: UInt64
    private var isCommitting: [Bool]

    init(half: FrameTemplate, group: String, queues: Int, slots: Int) {
        self.half = half
        self.group = group
        self.queues = queues
        sequence = 0
        isCommitting = Array(repeating: false, count: slots)
    }

    mutating func begin(slot: Int, now: Moment, into buffer: inout ByteBuffer) -> Bool {
        isCommitting[slot] = false
        sequence &+= 1
        let queue = Int(truncatingIfNeeded: sequence % UInt64(queues))
        half.write(slot: slot, bornMilliseconds: now.wallMilliseconds, unique: sequence, queue: queue, into: &buffer)
        return true
    }

    mutating func receive(_ response: Response, slot: Int, now: Moment, into buffer: inout ByteBuffer) -> Step {
        if isCommitting[slot] {
            return response.code == 0 ? .finished(messages: 1) : response.refusal("A commit")
        }
        guard response.isStored, let queueOffset = response.integer(.queueOffset), let logOffset = response.logOffset()
        else { return response.refusal("A half message") }
        isCommitting[slot] = true
        let fields = [
            ("producerGroup", group), ("tranStateTableOffset", String(queueOffset)),
            ("commitLogOffset", String(logOffset)), ("commitOrRollback", "8"), ("fromTransactionCheck", "false"),
            ("msgId", "bench"),
        ]
        RequestWriter.write(code: 37, slot: slot, fields: fields, encoding: half.encoding, into: &buffer)
        return .continued
    }
}
