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

    /// Entries whose name no topic may have are left out: names become directories.
    init(parsing text: ByteBuffer) throws {
        let table = try TopicConfigTable.decode(text)
        self.init(
            version: table.dataVersion,
            topics: table.topicConfigTable.values.filter { TopicName.remark(refusing: $0.topicName) == nil }
        )
    }

    private var body: TopicConfigTable { TopicConfigTable(dataVersion: version, topics: topics) }

    /// As RocketMQ writes the file.
    var text: ByteBuffer { body.encodePretty() }

    func encode() -> ByteBuffer { body.encode() }
}
