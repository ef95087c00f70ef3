package import Logging
package import MQProtocol
package import MQStore
import NIOCore

/// How far each group has consumed each queue, kept in `config/consumerOffset.json`.
///
/// Written every `flushConsumerOffsetInterval` when something changed: a crash repeats what was consumed since.
package final class OffsetTable: Sendable {
    private struct State {
        var offsets: ConsumerOffsets
        var isChanged = false
    }

    private let file: SideFile
    private let settings: BrokerSettings
    private let time: TimeSource
    private let logger: Logger
    private let state: Shared<State>
    private let writer: SideFileWriter

    /// - Throws: `corrupt` when neither the file nor its backup parses.
    package static func load(
        from file: SideFile, settings: BrokerSettings, time: TimeSource, logger: Logger
    ) throws(StoreError) -> OffsetTable {
        let stored = try file.load { try ConsumerOffsets(parsing: $0) }.value
        let state = Shared(State(offsets: stored ?? ConsumerOffsets()))
        let writer = SideFileWriter(file: file, time: time, logger: logger) { state.withLock { $0.offsets }.text }
        return OffsetTable(file, state, writer, settings: settings, time: time, logger: logger)
    }

    private init(
        _ file: SideFile, _ state: Shared<State>, _ writer: SideFileWriter, settings: BrokerSettings, time: TimeSource,
        logger: Logger
    ) {
        self.file = file
        self.state = state
        self.writer = writer
        self.settings = settings
        self.time = time
        self.logger = logger
    }

    package func commit(group: String, topic: String, queueID: Int32, offset: Int64) {
        change { $0.commit(TopicGroup(topic: topic, group: group), queueID: queueID, offset: offset) }
    }

    /// What a client says about a group. The broker's own groups are none of its business: their places decide what is
    /// read at the next start.
    ///
    /// - Returns: why it is not kept; nil when it is, or need not be.
    func commitByClient(group: String, topic: String, queueID: Int32, offset: Int64) -> String? {
        guard !GroupName.isSystem(group) else { return nil }
        if let remark = GroupName.remark(refusing: group) ?? TopicName.remark(refusing: topic) { return remark }
        let pair = TopicGroup(topic: topic, group: group)
        return state.withLock { state in
            guard state.offsets.hasRoom(for: pair, queueID: queueID) else { return "the table of offsets is full" }
            if state.offsets.commit(pair, queueID: queueID, offset: offset) { state.isChanged = true }
            return nil
        }
    }

    package func offset(group: String, topic: String, queueID: Int32) -> Int64? {
        state.withLock { $0.offsets.offset(TopicGroup(topic: topic, group: group), queueID: queueID) }
    }

    /// Queue id to offset; empty when the group never committed on the topic.
    package func offsets(group: String, topic: String) -> [Int32: Int64] {
        state.withLock { $0.offsets.offsets(TopicGroup(topic: topic, group: group)) }
    }

    /// The topics on which the group has offsets.
    package func topics(of group: String) -> [String] {
        state.withLock { $0.offsets }.topics(of: group)
    }

    /// The topics of every group that has offsets.
    func topicsByGroup() -> [String: [String]] {
        state.withLock { $0.offsets }.topicsByGroup()
    }

    /// The groups that have offsets on the topic.
    package func groups(of topic: String) -> [String] {
        state.withLock { $0.offsets }.groups(of: topic)
    }

    package func remove(group: String) {
        change { $0.remove(group: group) }
    }

    /// Forgets every group's place on a deleted topic.
    package func remove(topic: String) {
        change { $0.remove(topic: topic) }
    }

    /// At start: see ``ConsumerOffsets/limit(to:)``.
    ///
    /// What was taken back is on disk before the first message can take a lost one's place, in the file's previous
    /// version too, unless the disk refuses: read after another crash, either would skip the messages that came
    /// meanwhile.
    package func limit(to end: (_ topic: String, _ queueID: Int32) -> Int64) {
        let text = state.withLock { state -> ByteBuffer? in
            guard state.offsets.limit(to: end) else { return nil }
            return state.offsets.text
        }
        guard let text else { return }
        do {
            for _ in 0..<2 { try file.save(text) }
        } catch {
            state.withLock { $0.isChanged = true }
            logger.warning("offsets behind their queues' ends were taken back, but not written: \(error)")
        }
    }

    /// Gives `destination` the offsets of `source` on the topic, in place of its own; none of the broker's own groups.
    package func clone(from source: String, to destination: String, topic: String) {
        guard !GroupName.isSystem(destination) else { return }
        change { $0.clone(from: source, to: destination, topic: topic) }
    }

    var contents: ConsumerOffsets {
        state.withLock { $0.offsets }
    }

    /// Writes on the calling thread what is not written yet. For the end of the process.
    package func persist() throws(StoreError) {
        announce()
        try writer.flush()
    }

    /// Completes when every change made so far is on disk.
    func persisted(on eventLoop: any EventLoop) -> EventLoopFuture<Void> {
        announce()
        return writer.persisted(on: eventLoop)
    }

    /// Writes at intervals until the task is cancelled.
    package func run() async {
        while (try? await time.sleep(for: settings.configuration.clients.offsetFlushInterval)) != nil {
            announce()
        }
    }

    /// Tells the writer about changes since it was last told.
    private func announce() {
        let isChanged = state.withLock { state in
            defer { state.isChanged = false }
            return state.isChanged
        }
        if isChanged { writer.changed() }
    }

    private func change(_ body: (inout ConsumerOffsets) -> Bool) {
        state.withLock { state in
            if body(&state.offsets) { state.isChanged = true }
        }
    }
}
