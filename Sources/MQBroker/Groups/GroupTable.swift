package import Logging
package import MQProtocol
package import MQStore
package import NIOCore

/// The subscription groups of this broker, kept in `config/subscriptionGroup.json`.
package final class GroupTable: Sendable {
    private struct State {
        var groups: [String: SubscriptionGroupConfig] = [:]
        var version: DataVersion

        var file: GroupFile {
            GroupFile(version: version, groups: Array(groups.values))
        }
    }

    /// The most groups that clients may create; operators may go beyond.
    private static let maximumAutomaticGroups = 100_000

    private let settings: BrokerSettings
    private let time: TimeSource
    private let state: Shared<State>
    private let writer: SideFileWriter

    /// Loads the file; the preset groups are added where it has none of that name.
    ///
    /// - Throws: `corrupt` when neither the file nor its backup parses.
    package static func load(
        from file: SideFile, settings: BrokerSettings, time: TimeSource, logger: Logger
    ) throws(StoreError) -> GroupTable {
        let stored = try file.load { try GroupFile(parsing: $0) }.value
        var groups: [String: SubscriptionGroupConfig] = [:]
        for name in GroupName.preset { groups[name] = SubscriptionGroupConfig(groupName: name) }
        for group in stored?.groups ?? [] { groups[group.groupName] = group }
        let version = stored?.version ?? DataVersion(counter: 0, timestamp: time.now())
        let state = Shared(State(groups: groups, version: version))
        let writer = SideFileWriter(file: file, time: time, logger: logger) { state.withLock { $0.file }.text }
        return GroupTable(state, writer, settings: settings, time: time)
    }

    private init(_ state: Shared<State>, _ writer: SideFileWriter, settings: BrokerSettings, time: TimeSource) {
        self.state = state
        self.writer = writer
        self.settings = settings
        self.time = time
    }

    package func find(_ name: String) -> SubscriptionGroupConfig? {
        state.withLock { $0.groups[name] }
    }

    /// The group, created with defaults where `autoCreateSubscriptionGroup` allows it or the group is one of the
    /// system's. `nil`: answer 26.
    package func findOrCreate(_ name: String) -> SubscriptionGroupConfig? {
        if let known = find(name) { return known }
        guard settings.configuration.topics.createGroups || GroupName.isSystem(name),
            GroupName.remark(refusing: name) == nil
        else { return nil }
        let (group, isNew) = state.withLock { state -> (SubscriptionGroupConfig?, Bool) in
            if let known = state.groups[name] { return (known, false) }
            guard state.groups.count < Self.maximumAutomaticGroups else { return (nil, false) }
            let group = SubscriptionGroupConfig(groupName: name)
            state.groups[name] = group
            state.version = next(state.version)
            return (group, true)
        }
        if isNew { writer.changed() }
        return group
    }

    package func update(_ group: SubscriptionGroupConfig) {
        state.withLock { state in
            state.groups[group.groupName] = group
            state.version = next(state.version)
        }
        writer.changed()
    }

    /// - Returns: whether there was such a group.
    @discardableResult
    package func delete(_ name: String) -> Bool {
        let isDeleted = state.withLock { state in
            guard state.groups.removeValue(forKey: name) != nil else { return false }
            state.version = next(state.version)
            return true
        }
        if isDeleted { writer.changed() }
        return isDeleted
    }

    package func all() -> [SubscriptionGroupConfig] {
        state.withLock { Array($0.groups.values) }
    }

    /// The table as one moment's whole: what request 201 answers.
    var contents: GroupFile {
        state.withLock { $0.file }
    }

    /// Completes when every change made so far is on disk; fails with the error of the write.
    package func persisted(on eventLoop: any EventLoop) -> EventLoopFuture<Void> {
        writer.persisted(on: eventLoop)
    }

    /// Writes on the calling thread what is not written yet. For the end of the process.
    package func flush() throws(StoreError) {
        try writer.flush()
    }

    private func next(_ version: DataVersion) -> DataVersion {
        DataVersion(counter: version.counter &+ 1, timestamp: time.now())
    }
}
