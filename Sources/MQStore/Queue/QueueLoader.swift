import MQProtocol
import Synchronization

/// Loads the queues of a store, very many of them on several threads: the time goes into system calls.
struct QueueLoader: Sendable {
    struct Loaded: Sendable {
        var queue: ConsumeQueue
        var condition: ConsumeQueue.Condition
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
        guard topics.count >= Self.manyTopics else {
            var loaded: [Loaded] = []
            for topic in topics { loaded += try load(topic) }
            return loaded
        }
        let next = Atomic<Int>(0)
        let outcomes = Mutex([Result<[Loaded], StoreError>?](repeating: nil, count: topics.count))
        let work: @Sendable () -> Void = {
            while true {
                let number = next.wrappingAdd(1, ordering: .relaxed).oldValue
                guard number < topics.count else { return }
                let outcome = Result(catching: { () throws(StoreError) -> [Loaded] in try load(topics[number]) })
                outcomes.withLock { $0[number] = outcome }
            }
        }
        let threads = (1..<Self.threads).map { _ in StoreThread(name: "mq-load", work) }
        // One that does not start leaves its share to the others.
        for thread in threads { try? thread.start() }
        work()
        for thread in threads { thread.join() }
        var loaded: [Loaded] = []
        for outcome in outcomes.withLock({ $0 }) { loaded += try outcome?.get() ?? [] }
        return loaded
    }

    private func load(_ topic: String) throws(StoreError) -> [Loaded] {
        let files = table.files
        var loaded: [Loaded] = []
        for entry in try files.device.list("\(files.directory)/\(topic)") ?? [] where entry.isDirectory {
            guard let queueID = Int32(entry.name), queueID >= 0 else { continue }
            let queue = table.queue(topic, queueID)
            let known = recorded[topic]?[queueID]
            let condition = try queue.load(
                limit: limit, clears: clears, hint: clears ? nil : known?.end, first: known?.first, lost: lost)
            loaded.append(Loaded(queue: queue, condition: condition))
        }
        return loaded
    }
}
