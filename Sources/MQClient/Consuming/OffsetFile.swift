import MQProtocol
import NIOCore
import NIOPosix
import Synchronization

/// The offsets of a broadcasting consumer, in a file that RocketMQ's clients can read: `offsets.json`, with the version
/// before as `offsets.json.bak`.
final class OffsetFile: Sendable {
    let path: String
    private let offsets: Mutex<[MessageQueue: Int64]>

    /// Reads the file; the version before when it is missing or damaged.
    ///
    /// - Parameter root: default: `.rocketmq_offsets` in the home directory.
    /// - Throws: ``MQClientError/Code/offsetFile`` when neither can be read.
    init(root: String?, clientID: String, group: String) throws(MQClientError) {
        let root = root ?? LocalFile.home + "/.rocketmq_offsets"
        path = "\(root)/\(Self.stable(clientID))/\(group)/offsets.json"
        offsets = Mutex(try Self.read(path))
    }

    func offset(of queue: MessageQueue) -> Int64? {
        offsets.withLock { $0[queue] }
    }

    /// Replaces the file by one with these offsets and those of all other queues. They are on disk when this returns.
    func store(_ changes: [(queue: MessageQueue, offset: Int64)]) async throws(MQClientError) {
        let content = offsets.withLock { offsets in
            for (queue, offset) in changes { offsets[queue] = offset }
            return Self.encode(offsets)
        }
        do {
            // The disk may be slow.
            try await NIOThreadPool.singleton.runIfActive { [path] in try LocalFile.replace(path, with: content) }
        } catch {
            throw (error as? MQClientError)
                ?? MQClientError(.offsetFile, "\(path) was not written: \(error)", cause: error)
        }
    }

    /// A client id made for this process would name another file after every start: instead of it stands what
    /// RocketMQ's broadcasting clients use.
    private static func stable(_ clientID: String) -> String {
        let own = "\(LocalMachine.address)@"
        return clientID.hasPrefix("\(own)\(LocalMachine.processID)#") ? own + "DEFAULT" : clientID
    }

    private static func read(_ path: String) throws(MQClientError) -> [MessageQueue: Int64] {
        let main = Result { () throws(MQClientError) in try parse(path) }
        if case .success(let offsets?) = main { return offsets }
        if let backup = try parse(path + ".bak") { return backup }
        return try main.get() ?? [:]
    }

    /// Nil when there is no such file.
    private static func parse(_ path: String) throws(MQClientError) -> [MessageQueue: Int64]? {
        guard let content = try LocalFile.read(path) else { return nil }
        do {
            let entries = try ResetOffsetBody.decode(content).entries
            return Dictionary(entries.map { (MessageQueue($0.queue), $0.offset.rawValue) }) { _, last in last }
        } catch {
            throw MQClientError(
                .offsetFile,
                "\(path) holds no offsets: \(error). Repair it, or delete it and its .bak to begin anew.", cause: error)
        }
    }

    private static func encode(_ offsets: [MessageQueue: Int64]) -> ByteBuffer {
        let entries = offsets.sorted { $0.key < $1.key }.map { queue, offset in
            ResetOffsetBody.Entry(queue: MessageQueueKey(queue), offset: QueueOffset(rawValue: offset))
        }
        return ResetOffsetBody(entries: entries).encodePretty()
    }
}

extension MessageQueueKey {
    init(_ queue: MessageQueue) {
        self.init(topic: queue.topic, brokerName: queue.brokerName, queueID: queue.queueID)
    }
}
