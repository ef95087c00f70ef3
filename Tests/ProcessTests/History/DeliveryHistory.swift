import MQProtocol
import NIOCore

struct QueueName: Hashable, Sendable, CustomStringConvertible {
    var topic: String
    var queueID: Int32

    init(_ topic: String, _ queueID: Int32) {
        self.topic = topic
        self.queueID = queueID
    }

    var description: String { "\(topic)/\(queueID)" }
}

/// Where a broker said it has put a message.
struct Place: Hashable, Sendable, CustomStringConvertible {
    var queue: QueueName
    var offset: Int64

    var description: String { "\(queue)@\(offset)" }
}

/// A message as a broker gave it out.
struct FoundMessage: Sendable {
    var place: Place
    var body: ByteBuffer
    var keys: String?
    var logOffset: Int64
    var totalBytes: Int
}

extension FoundMessage {
    init(_ message: StoredMessage) {
        self.init(
            place: Place(queue: QueueName(message.topic, message.queueID), offset: message.queueOffset.rawValue),
            body: message.body, keys: message.properties[PropertyName.keys], logOffset: message.logOffset.rawValue,
            totalBytes: message.record.totalSize)
    }
}

/// The messages of each queue, in the order in which they were read.
typealias StoreContents = [QueueName: [FoundMessage]]

/// What was sent, what was acknowledged, and whether a store agrees with it.
struct DeliveryHistory: Sendable {
    struct Sent: Sendable {
        var queue: QueueName
        /// Messages of one sender go out one after the other.
        var sender: Int
    }

    private(set) var sent: [Int64: Sent] = [:]
    private(set) var acknowledged: [Int64: Place] = [:]
    private var owners: [Place: Int64] = [:]
    private var conflicts: [String] = []

    mutating func send(_ number: Int64, to queue: QueueName, by sender: Int) {
        sent[number] = Sent(queue: queue, sender: sender)
    }

    mutating func acknowledge(_ number: Int64, at place: Place) {
        acknowledged[number] = place
        if let owner = owners.updateValue(number, forKey: place) {
            conflicts.append("messages \(owner) and \(number) were both acknowledged at \(place)")
        }
    }

    /// Makes the history wrong: for showing that the check notices.
    mutating func forget(_ number: Int64) {
        sent[number] = nil
        if let place = acknowledged.removeValue(forKey: number) { owners[place] = nil }
    }

    /// Where the store and the history disagree; empty when every acknowledged message is where it was said to be,
    /// once, in order and unaltered, and nothing is there that was not sent.
    func violations(in contents: StoreContents) -> [String] {
        var findings = conflicts
        var seen: [Int64: Place] = [:]
        var atPlace: [Place: Int64] = [:]
        for (queue, messages) in contents {
            findings += gaps(in: messages, of: queue)
            findings += disorder(in: messages, of: queue)
            for message in messages {
                findings += alterations(of: message, in: queue)
                guard let number = Payload.number(in: message.body) else { continue }
                if let first = seen.updateValue(message.place, forKey: number) {
                    findings.append("message \(number) is at \(first) and at \(message.place)")
                }
                atPlace[message.place] = number
            }
        }
        for (number, place) in acknowledged where atPlace[place] != number {
            let instead = atPlace[place].map { "message \($0) is" } ?? "nothing is"
            findings.append("message \(number) was acknowledged at \(place), but \(instead) there")
        }
        return findings.sorted()
    }

    private func gaps(in messages: [FoundMessage], of queue: QueueName) -> [String] {
        messages.enumerated().filter { Int64($0) != $1.place.offset }.prefix(1)
            .map { "\(queue): offset \($1.place.offset) is where offset \($0) should be" }
    }

    private func alterations(of message: FoundMessage, in queue: QueueName) -> [String] {
        guard let number = Payload.number(in: message.body), let sent = sent[number] else {
            return ["\(message.place): this message was never sent"]
        }
        var findings: [String] = []
        if sent.queue != queue || message.place.queue != queue {
            findings.append("message \(number) was sent to \(sent.queue) and is in \(queue)")
        }
        if message.body != Payload.body(number) { findings.append("\(message.place): message \(number) is altered") }
        if message.keys != Payload.key(number) { findings.append("\(message.place): the key of \(number) is altered") }
        return findings
    }

    /// Each sender waited for an answer before its next message, so their numbers rise.
    private func disorder(in messages: [FoundMessage], of queue: QueueName) -> [String] {
        var last: [Int: Int64] = [:]
        var findings: [String] = []
        for message in messages {
            guard let number = Payload.number(in: message.body), let sender = sent[number]?.sender else { continue }
            if let before = last[sender], before > number {
                findings.append("\(queue): message \(number) is behind \(before) of the same sender")
            }
            last[sender] = number
        }
        return findings
    }
}
