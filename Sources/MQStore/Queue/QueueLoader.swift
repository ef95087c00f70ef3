import MQProtocol
import Synchronization

/// Loads the queues of a store, very many of them on several threads: the time goes into system calls.
struct QueueLoader: Sendable {
    struct Loaded: Sendable {
        var queue: ConsumeQueue
        var condition: ConsumeQueue.Condition
    }

    /// The last entry of a queue.
    struct Last: Sendable {
        var queue: ConsumeQueue
        var number: Int64
        var entry: QueueEntry
    }

    /// Of fewer topics, the queues are loaded on the calling thread alone.
    private static let manyTopics = 256
    private static let threads = 4

    let table: QueueTable
    /// See ``ConsumeQueue/load(limit:clears:hint:first:lost:)``.
    let limit: LogOffset
    let clears: Bool
    /// What was recorded of them, by topic and queue.
    let recorded: [String: [Int32: DispatchManifest.Queue]]
    let lost: [Range<LogOffset>]

    /// In the order of the topics.
    func load(_ topics: [String]) throws(StoreError) -> [Loaded] {
        try forEach(topics) { (topic) throws(StoreError) -> [Loaded] in try load(topic) }
    }

    /// The last entry below the limit of each queue that has one. The files are only read, nothing is loaded.
    func lastEntries(_ topics: [String]) throws(StoreError) -> [Last] {
        try forEach(topics) { (topic) throws(StoreError) -> [Last] in try lastEntries(topic) }
    }

    /// - Parameter read: called for each topic, perhaps on several threads at once.
    private func forEach<Found: Sendable>(
        _ topics: [String], _ read: @escaping @Sendable (String) throws(StoreError) -> [Found]
    ) throws(StoreError) -> [Found] {
        guard topics.count >= Self.manyTopics else {
            var found: [Found] = []
            for topic in topics { found += try read(topic) }
            return found
        }
        let next = Atomic<Int>(0)
        let outcomes = Mutex([Result<[Found], StoreError>?](repeating: nil, count: topics.count))
        let work: @Sendable () -> Void = {
            while true {
                let number = next.wrappingAdd(1, ordering: .relaxed).oldValue
                guard number < topics.count else { return }
                let outcome = Result(catching: { () throws(StoreError) -> [Found] in try read(topics[number]) })
                outcomes.withLock { $0[number] = outcome }
            }
        }
        let threads = (1..<Self.threads).map { _ in StoreThread(name: "mq-load", work) }
        // One that does not start leaves its share to the others.
        for thread in threads { try? thread.start() }
        work()
        for thread in threads { thread.join() }
        var found: [Found] = []
        for outcome in outcomes.withLock({ $0 }) { found += try outcome?.get() ?? [] }
        return found
    }

    private func queues(_ topic: String) throws(StoreError) -> [ConsumeQueue] {
        let files = table.files
        var queues: [ConsumeQueue] = []
        for entry in try files.device.list("\(files.directory)/\(topic)") ?? [] where entry.isDirectory {
            guard let queueID = Int32(entry.name), queueID >= 0 else { continue }
            queues.append(table.queue(topic, queueID))
        }
        return queues
    }

    private func lastEntries(_ topic: String) throws(StoreError) -> [Last] {
        var found: [Last] = []
        for queue in try queues(topic) {
            guard let (number, entry) = try queue.lastEntry(below: limit) else { continue }
            found.append(Last(queue: queue, number: number, entry: entry))
        }
        return found
    }

    private func load(_ topic: String) throws(StoreError) -> [Loaded] {
        var loaded: [Loaded] = []
        for queue in try queues(topic) {
            let known = recorded[topic]?[queue.ref.queueID]
            let condition = try queue.load(
                limit: limit, clears: clears, hint: clears ? nil : known?.end, first: known?.first, lost: lost)
            loaded.append(Loaded(queue: queue, condition: condition))
        }
        return loaded
    }
}
