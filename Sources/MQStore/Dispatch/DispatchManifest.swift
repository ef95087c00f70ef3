import MQProtocol
import NIOCore

/// What the store remembers of its derived files between runs, in two text files under `<root>/escrow`, which a stock
/// broker does not look at.
///
/// `position` says up to which log offset every consume-queue entry is durable: after a crash dispatching begins there,
/// and what lies behind it in the queue files is not trusted. `queues` lists the queues that have files: one that is
/// missing on disk was lost, not deleted, and is built again from the log.
struct DispatchManifest: Sendable, Equatable {
    struct Queue: Sendable, Equatable {
        var topic: String
        var queueID: Int32
        /// The next queue offset when the line was written: exact after a clean close, else a lower bound.
        var end: Int64
        /// The first entry of its oldest file, when the line was written or files were deleted since: one that begins
        /// later has lost files. Nil in lists of versions that did not write it.
        var first: Int64?
    }

    /// State of the index at a clean close.
    struct Index: Sendable, Equatable {
        var position: LogOffset
        var files: Int
        /// Entry counter of the newest file; 0 without files.
        var lastCount: Int32
    }

    struct Position: Sendable, Equatable {
        var queues: LogOffset
        /// Where the newest record below begins, if it is known: a start need not read what is in front of it.
        var last: LogOffset?
        /// Name of the newest index file that is full and flushed. Times, as in the checkpoint, do not tell files apart
        /// that were filled within a millisecond.
        var sealed: String?
        /// How many index files there are up to that one, so that one that is missing is noticed. Nil in records of
        /// versions that did not write it, which are believed without.
        var sealedFiles: Int?
        var index: Index?
    }

    /// Topic whose queues were deleted → its records below the offset are of an earlier life.
    var forgotten: [String: LogOffset] = [:]
    var queues: [Queue] = []
}

extension DispatchManifest.Position {
    func encode() -> ByteBuffer {
        var text = "escrow-position 1\nqueues \(queues)\n"
        if let last { text += "last \(last)\n" }
        if let sealed {
            let files = sealedFiles.map { " \($0)" } ?? ""
            text += "sealed \(sealed)\(files)\n"
        }
        if let index { text += "index \(index.position) \(index.files) \(index.lastCount)\n" }
        return ManifestText.sealed(ByteBuffer(string: text))
    }

    init(parsing buffer: ByteBuffer) throws(StoreError) {
        let lines = try ManifestText.lines(buffer, "position")
        guard lines.first == "escrow-position 1" else { throw ManifestText.unreadable("position") }
        var queues: LogOffset?
        for line in lines.dropFirst() {
            let words = line.split(separator: " ")
            switch words.first {
            case "queues":
                queues = words.count == 2 ? Int64(words[1]).map(LogOffset.init(rawValue:)) : nil
            case "last":
                last = words.count == 2 ? Int64(words[1]).map(LogOffset.init(rawValue:)) : nil
            case "sealed":
                sealed = words.count == 2 || words.count == 3 ? String(words[1]) : nil
                sealedFiles = words.count == 3 ? Int(words[2]) : nil
            case "index":
                guard words.count == 4, let position = Int64(words[1]), let files = Int(words[2]),
                    let count = Int32(words[3])
                else { throw ManifestText.unreadable("position") }
                index = .init(position: LogOffset(rawValue: position), files: files, lastCount: count)
            default:
                throw ManifestText.unreadable("position")
            }
        }
        guard let queues, queues >= .zero else { throw ManifestText.unreadable("position") }
        self.queues = queues
    }
}

extension DispatchManifest {
    /// Leaves out what no record can name. A topic with a space or a line's end would make the list unreadable, and
    /// what was forgotten would come back.
    func encode() -> ByteBuffer {
        var buffer = ByteBuffer(string: "escrow-queues 1\n")
        for (topic, offset) in forgotten.sorted(by: { $0.key < $1.key }) where Self.isTopic(topic) {
            buffer.writeString("forgotten \(offset) \(topic)\n")
        }
        for queue in queues where queue.queueID >= 0 && Self.isTopic(queue.topic) {
            let first = queue.first.map { " \($0)" } ?? ""
            buffer.writeString("queue \(queue.queueID) \(queue.end) \(queue.topic)\(first)\n")
        }
        return ManifestText.sealed(buffer)
    }

    private static func isTopic(_ name: String) -> Bool { RecordRules.isTopic(name.utf8.span) }

    init(parsing buffer: ByteBuffer) throws(StoreError) {
        let lines = try ManifestText.lines(buffer, "queues")
        guard lines.first == "escrow-queues 1" else { throw ManifestText.unreadable("queues") }
        for line in lines.dropFirst() {
            let words = line.split(separator: " ")
            if words.count == 4 || words.count == 5, words[0] == "queue", let queueID = Int32(words[1]),
                let end = Int64(words[2])
            {
                // Listed by a version that believed a damaged record: no start finds it, so it would always be missing.
                guard queueID >= 0 else { continue }
                let first = words.count == 5 ? Int64(words[4]) : nil
                queues.append(Queue(topic: String(words[3]), queueID: queueID, end: end, first: first))
            } else if words.count == 3, words[0] == "forgotten", let offset = Int64(words[1]) {
                forgotten[String(words[2])] = LogOffset(rawValue: offset)
            } else {
                throw ManifestText.unreadable("queues")
            }
        }
    }
}

private enum ManifestText {
    private static let seal = "end "

    /// The last line carries a CRC-32 of all before it: one digit changed on the disk would leave messages out of their
    /// queues.
    static func sealed(_ text: ByteBuffer) -> ByteBuffer {
        var text = text
        text.writeString("\(seal)\(crc32(text.readableBytesUInt8Span))\n")
        return text
    }

    /// All lines but the last.
    static func lines(_ buffer: ByteBuffer, _ name: String) throws(StoreError) -> [Substring] {
        let text = String(buffer: buffer)
        let lines = text.split(separator: "\n")
        guard let last = lines.last, last.hasPrefix(seal),
            buffer == sealed(ByteBuffer(substring: text.prefix(upTo: last.startIndex)))
        else { throw unreadable(name) }
        return Array(lines.dropLast())
    }

    static func unreadable(_ name: String) -> StoreError {
        StoreError(.corrupt, "the list of \(name) does not parse")
    }
}
