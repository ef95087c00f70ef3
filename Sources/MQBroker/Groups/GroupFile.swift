import MQProtocol
import NIOCore

/// The content of `config/subscriptionGroup.json`, and of the answer to request 201.
struct GroupFile: Sendable {
    var version: DataVersion
    var groups: [SubscriptionGroupConfig]

    init(version: DataVersion, groups: [SubscriptionGroupConfig]) {
        self.version = version
        self.groups = groups
    }

    /// Entries whose name no group may have are left out: names become topics, and those directories. The number of
    /// retry queues is brought into the range of a topic's.
    init(parsing text: ByteBuffer) throws {
        let table = try SubscriptionGroupTable.decode(text)
        self.init(
            version: table.dataVersion,
            groups: table.subscriptionGroupTable.values.filter { GroupName.remark(refusing: $0.groupName) == nil }
                .map { group in
                    var group = group
                    group.retryQueueNums = Topic.possible(group.retryQueueNums)
                    return group
                }
        )
    }

    private var body: SubscriptionGroupTable { SubscriptionGroupTable(dataVersion: version, groups: groups) }

    /// As RocketMQ writes the file.
    var text: ByteBuffer { body.encodePretty() }

    func encode() -> ByteBuffer { body.encode() }
}
