package import Logging
package import MQProtocol
package import MQStore
package import NIOCore
import Synchronization

/// The topics of this broker, kept in `config/topics.json`.
///
/// Changes are in force at once and written in the background; who acknowledges one to a client waits for
/// ``persisted(on:)`` first.
package final class TopicTable: Sendable {
    /// Who wants to hear about changes, so that the name servers learn of them.
    package struct Observer: Sendable {
        /// Called after each change, on the thread that made it.
        package var changed: @Sendable () -> Void
        /// Completes when the name servers were told about every change made so far, or cannot be.
        package var announced: @Sendable (any EventLoop) -> EventLoopFuture<Void>

        package init(
            changed: @escaping @Sendable () -> Void,
            announced: @escaping @Sendable (any EventLoop) -> EventLoopFuture<Void>
        ) {
            self.changed = changed
            self.announced = announced
        }
    }

    private struct State {
        var topics: [String: Topic] = [:]
        var version: DataVersion

        var file: TopicFile {
            TopicFile(version: version, topics: topics.values.map(\.config))
        }
    }

    /// The most topics of the table at which sends may still create one; operators may go beyond. Each costs some
    /// kilobytes here, at the name servers and at every client that lists them.
    private static let maximumAutomaticTopics = 100_000

    private let settings: BrokerSettings
    private let time: TimeSource
    private let makeQueue: @Sendable (String, Int32) -> QueueRef
    private let state: Shared<State>
    /// How many deletions of it are under way.
    private let deleting = Mutex<[String: Int]>([:])
    private let deletionCount = Atomic<Int>(0)
    private let writer: SideFileWriter
    private let observer = Mutex<Observer?>(nil)

    /// Loads the file. The broker's own topics are added; entries of the file replace them.
    ///
    /// `makeQueue` is the store's queue of a topic and queue id.
    /// - Throws: `corrupt` when neither the file nor its backup parses.
    package static func load(
        from file: SideFile, settings: BrokerSettings, time: TimeSource, logger: Logger,
        makeQueue: @escaping @Sendable (String, Int32) -> QueueRef
    ) throws(StoreError) -> TopicTable {
        let stored = try file.load { try TopicFile(parsing: $0) }.value
        var topics: [String: Topic] = [:]
        for config in SystemTopics.configs(settings.configuration) + (stored?.topics ?? []) {
            topics[config.topicName] = Topic(config, makeQueue: makeQueue)
        }
        let version = stored?.version ?? DataVersion(counter: 0, timestamp: time.now())
        let state = Shared(State(topics: topics, version: version))
        let writer = SideFileWriter(file: file, time: time, logger: logger) { state.withLock { $0.file }.text }
        return TopicTable(state, writer, settings: settings, time: time, makeQueue: makeQueue)
    }

    /// Whether a topic exists, by the file and by its name; nil without a file. Topics of the broker's own need not be
    /// in the file.
    package static func listed(
        in file: SideFile, _ configuration: BrokerConfiguration
    ) throws(StoreError) -> (@Sendable (String) -> Bool)? {
        guard let stored = try file.load({ try TopicFile(parsing: $0) }).value else { return nil }
        let names = Set(stored.topics.map(\.topicName))
        let (cluster, broker) = (configuration.clusterName, configuration.brokerName)
        return { topic in
            names.contains(topic) || SystemTopic.contains(topic, cluster: cluster, broker: broker)
                || topic.hasPrefix(TopicName.lightQueuePrefix)
        }
    }

    private init(
        _ state: Shared<State>, _ writer: SideFileWriter, settings: BrokerSettings, time: TimeSource,
        makeQueue: @escaping @Sendable (String, Int32) -> QueueRef
    ) {
        self.state = state
        self.writer = writer
        self.settings = settings
        self.time = time
        self.makeQueue = makeQueue
    }

    /// There is one observer; the last one wins.
    package func observe(_ observer: Observer?) {
        self.observer.withLock { $0 = observer }
    }

    // MARK: Looking up

    package func find(_ name: String) -> Topic? {
        state.withLock { $0.topics[name] }
    }

    /// How often a topic was deleted: who keeps what ``find(_:)`` returned looks again when this has changed.
    var deletions: Int { deletionCount.load(ordering: .acquiring) }

    /// Every topic, in no particular order.
    package func all() -> [Topic] {
        state.withLock { Array($0.topics.values) }
    }

    package var dataVersion: DataVersion {
        state.withLock { $0.version }
    }

    /// The table as one moment's whole: what is registered, and what request 21 answers.
    var contents: TopicFile {
        state.withLock { $0.file }
    }

    // MARK: Changing

    /// The topic of a send, created from `template` where the rules allow it (``AutomaticTopic``). `nil`: answer 17.
    package func createForSend(_ name: String, template: String, queueCount: Int32, unit: Bool) -> Topic? {
        let isEnabled = settings.configuration.topics.createOnSend
        let (topic, isNew) = state.withLock { state -> (Topic?, Bool) in
            if let topic = state.topics[name] { return (topic, false) }
            guard state.topics.count < Self.maximumAutomaticTopics,
                let config = AutomaticTopic.config(
                    name, template: state.topics[template]?.config, queueCount: queueCount, unit: unit,
                    isEnabled: isEnabled
                )
            else { return (nil, false) }
            return (add(config, to: &state), true)
        }
        if isNew { changed() }
        return topic
    }

    /// The topic, created when it is missing, without asking a template: retry, dead-letter and system topics.
    @discardableResult
    package func ensure(
        _ name: String, queues: Int32, permission: Int32 = 6, systemFlag: Int32 = 0
    ) -> Topic {
        let (topic, isNew) = state.withLock { state in
            if let topic = state.topics[name] { return (topic, false) }
            let queues = Topic.possible(queues)
            let config = TopicConfig(
                topicName: name, readQueueNums: queues, writeQueueNums: queues, perm: permission,
                topicSysFlag: systemFlag
            )
            return (add(config, to: &state), true)
        }
        if isNew { changed() }
        return topic
    }

    /// Replaces or creates a topic, as an operator asked. Whether it is an order topic stays as it was: that is the
    /// name servers' to say.
    @discardableResult
    package func update(_ config: TopicConfig) -> Topic {
        let topic = state.withLock { state in
            var config = config
            guard let topic = state.topics[config.topicName] else {
                config.order = false
                return add(config, to: &state)
            }
            config.order = topic.isOrder
            topic.replace(config)
            state.version = next(state.version)
            return topic
        }
        changed()
        return topic
    }

    /// Until ``endDeletion(of:)`` no send creates the topic: it would wait for the deletion of the queues.
    func beginDeletion(of name: String) { deleting.withLock { $0[name, default: 0] += 1 } }
    func endDeletion(of name: String) { deleting.withLock { $0[name] = $0[name].flatMap { $0 > 1 ? $0 - 1 : nil } } }
    func isBeingDeleted(_ name: String) -> Bool { deleting.withLock { $0[name] != nil } }

    /// - Returns: whether there was such a topic.
    @discardableResult
    package func delete(_ name: String) -> Bool {
        let isDeleted = state.withLock { state in
            guard state.topics.removeValue(forKey: name) != nil else { return false }
            deletionCount.add(1, ordering: .releasing)
            state.version = next(state.version)
            return true
        }
        if isDeleted { changed() }
        return isDeleted
    }

    /// Takes over which topics the name servers list as ordered.
    package func setOrderTopics(_ names: Set<String>) {
        let isChanged = state.withLock { state in
            var isChanged = false
            for (name, topic) in state.topics {
                var config = topic.config
                guard config.order != names.contains(name) else { continue }
                config.order.toggle()
                topic.replace(config)
                isChanged = true
            }
            if isChanged { state.version = next(state.version) }
            return isChanged
        }
        if isChanged { changed() }
    }

    /// Gives the table a new version, so that the name servers take it again: the broker's permission changed.
    package func touch() {
        state.withLock { $0.version = next($0.version) }
        changed()
    }

    // MARK: Writing

    /// Completes when every change made so far is on disk; fails with the error of the write.
    package func persisted(on eventLoop: any EventLoop) -> EventLoopFuture<Void> {
        writer.persisted(on: eventLoop)
    }

    /// Completes when the topic is on disk; nil when it is there. On the path of every send.
    func saving(of topic: Topic, on eventLoop: any EventLoop) -> EventLoopFuture<Void>? {
        writer.isWritten(topic.change) ? nil : writer.persisted(on: eventLoop, change: topic.change)
    }

    /// Completes when the name servers were told about every change made so far, or cannot be.
    package func announced(on eventLoop: any EventLoop) -> EventLoopFuture<Void> {
        observer.withLock { $0 }?.announced(eventLoop) ?? eventLoop.makeSucceededVoidFuture()
    }

    /// Writes on the calling thread what is not written yet. For the end of the process.
    package func flush() throws(StoreError) {
        try writer.flush()
    }

    private func add(_ config: TopicConfig, to state: inout State) -> Topic {
        let topic = Topic(config, change: writer.nextChange, makeQueue: makeQueue)
        state.topics[config.topicName] = topic
        state.version = next(state.version)
        return topic
    }

    private func next(_ version: DataVersion) -> DataVersion {
        DataVersion(counter: version.counter &+ 1, timestamp: time.now())
    }

    private func changed() {
        writer.changed()
        observer.withLock { $0 }?.changed()
    }
}
