import MQProtocol
import NIOCore

/// The content of `config/topics.json`, and of the answer to request 21.
struct TopicFile: Sendable {
    var version: DataVersion
    var topics: [TopicConfig]

    init(version: DataVersion, topics: [TopicConfig]) {
        self.version = version
        self.topics = topics
    }

    /// Entries whose name no topic may have are left out: names become directories. Queue counts are brought into their
    /// range.
    init(parsing text: ByteBuffer) throws {
        let table = try TopicConfigTable.decode(text)
        self.init(
            version: table.dataVersion,
            topics: table.topicConfigTable.values.filter { TopicName.remark(refusing: $0.topicName) == nil }.map {
                topic in
                var topic = topic
                topic.readQueueNums = Topic.possible(topic.readQueueNums)
                topic.writeQueueNums = Topic.possible(topic.writeQueueNums)
                return topic
            }
        )
    }

    private var body: TopicConfigTable { TopicConfigTable(dataVersion: version, topics: topics) }

    /// As RocketMQ writes the file.
    var text: ByteBuffer { body.encodePretty() }

    func encode() -> ByteBuffer { body.encode() }
}
