@testable import MQProtocol

/// Every typed header, for tests that try them all.
enum HeaderCatalog {
    static let types: [any CommandHeader.Type] = [
        BrokerConfigResponseHeader.self,
        CheckTransactionStateHeader.self,
        UnregisterClientHeader.self,
        ConsumerGroupHeader.self,
        ConsumerRunningInfoHeader.self,
        ConsumeDirectlyHeader.self,
        EndTransactionHeader.self,
        DeleteGroupHeader.self,
        ConsumeStatsHeader.self,
        KeyValueHeader.self,
        KeyValueResponseHeader.self,
        NamespaceHeader.self,
        RouteHeader.self,
        BrokerNameHeader.self,
        WipeWritePermissionResponseHeader.self,
        AddWritePermissionResponseHeader.self,
        DeleteTopicInNameServerHeader.self,
        ClusterHeader.self,
        QueryConsumerOffsetHeader.self,
        SearchOffsetHeader.self,
        QueueHeader.self,
        OffsetResponseHeader.self,
        TimestampResponseHeader.self,
        PullMessageHeader.self,
        PullResponseHeader.self,
        PushReplyHeader.self,
        QueryMessageHeader.self,
        QueryMessageResponseHeader.self,
        ViewMessageHeader.self,
        QueryConsumeQueueHeader.self,
        RegisterBrokerHeader.self,
        RegisterBrokerResponseHeader.self,
        UnregisterBrokerHeader.self,
        QueryDataVersionHeader.self,
        QueryDataVersionResponseHeader.self,
        ResetOffsetHeader.self,
        ConsumerStatusHeader.self,
        SendBackHeader.self,
        SendMessageHeader.self,
        SendMessageResponseHeader.self,
        CreateTopicHeader.self,
        TopicHeader.self,
        UpdateConsumerOffsetHeader.self,
    ]

    /// Tries the fields as every header; errors are fine, a crash is not.
    static func decodeAll(_ fields: HeaderFields) {
        for type in types {
            _ = try? type.init(fields)
        }
    }
}
