import NIOCore

@testable import MQProtocol

/// Every JSON body, for tests that try them all.
enum BodyCatalog {
    static let types: [any JSONBody.Type] = [
        RegisterBrokerBody.self,
        BrokerData.self,
        QueueData.self,
        TopicRouteData.self,
        ClusterInfo.self,
        TopicStatsTable.self,
        ConsumeStats.self,
        ConsumeStatsList.self,
        BrokerStatsData.self,
        ConsumeTimeSpanBody.self,
        SubscriptionGroupConfig.self,
        SubscriptionGroupTable.self,
        TopicList.self,
        KVTable.self,
        GroupList.self,
        ConsumerIDList.self,
        MessageQueueKey.self,
        LockBatchBody.self,
        LockBatchAnswer.self,
        ClientConnection.self,
        ConsumerConnection.self,
        ProducerConnection.self,
        ProducerTableInfo.self,
        ConsumerRunningInfo.self,
        ConsumeDirectlyResult.self,
        ResetOffsetBody.self,
        ConsumerStatusBody.self,
        DelayOffsetsBody.self,
        CorrectionOffsetsBody.self,
        QueryConsumeQueueBody.self,
        DataVersion.self,
        TopicConfig.self,
        TopicConfigTable.self,
        SubscriptionData.self,
        ConsumerData.self,
        HeartbeatData.self,
        CheckClientConfigBody.self,
    ]

    /// Tries the bytes as every body; errors are fine, a crash is not. What decodes is written and read again.
    static func decodeAll(_ bytes: ByteBuffer) {
        guard let value = try? JSONReader.parse(bytes) else { return }
        for type in types {
            if let body = try? type.init(json: value) {
                _ = try? type.init(json: body.json)
            }
        }
        for compressed in [false, true] {
            _ = try? RegisterBrokerBody.decode(bytes, compressed: compressed, version: ProtocolVersion.current)
        }
    }
}
