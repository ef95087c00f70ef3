/// UNREGISTER_CLIENT (35): withdraws one group, or two.
package struct UnregisterClientHeader: CommandHeader, Hashable {
    package var clientID: String
    package var producerGroup: String?
    package var consumerGroup: String?

    package init(clientID: String, producerGroup: String? = nil, consumerGroup: String? = nil) {
        self.clientID = clientID
        self.producerGroup = producerGroup
        self.consumerGroup = consumerGroup
    }

    package init(_ fields: HeaderFields) throws(HeaderError) {
        clientID = try fields.requiredString("clientID")
        producerGroup = fields.string("producerGroup")
        consumerGroup = fields.string("consumerGroup")
    }

    package func write(to writer: inout FieldWriter) {
        writer.write("clientID", clientID)
        writer.write("producerGroup", producerGroup)
        writer.write("consumerGroup", consumerGroup)
    }
}

/// A consumer group: GET_CONSUMER_LIST_BY_GROUP (38), NOTIFY_CONSUMER_IDS_CHANGED (40) and
/// GET_CONSUMER_CONNECTION_LIST (203).
package struct ConsumerGroupHeader: CommandHeader, Hashable {
    package var consumerGroup: String

    package init(consumerGroup: String) {
        self.consumerGroup = consumerGroup
    }

    package init(_ fields: HeaderFields) throws(HeaderError) {
        consumerGroup = try fields.requiredString("consumerGroup")
    }

    package func write(to writer: inout FieldWriter) {
        writer.write("consumerGroup", consumerGroup)
    }
}

/// GET_CONSUMER_RUNNING_INFO (307), from a tool to the broker and on to the client.
package struct ConsumerRunningInfoHeader: CommandHeader, Hashable {
    package var consumerGroup: String
    package var clientID: String
    package var withStacks: Bool

    package init(consumerGroup: String, clientID: String, withStacks: Bool = false) {
        self.consumerGroup = consumerGroup
        self.clientID = clientID
        self.withStacks = withStacks
    }

    package init(_ fields: HeaderFields) throws(HeaderError) {
        consumerGroup = try fields.requiredString("consumerGroup")
        clientID = try fields.requiredString("clientId")
        withStacks = fields.bool("jstackEnable") ?? false
    }

    package func write(to writer: inout FieldWriter) {
        writer.write("consumerGroup", consumerGroup)
        writer.write("clientId", clientID)
        writer.write("jstackEnable", withStacks)
    }
}

/// CONSUME_MESSAGE_DIRECTLY (309), from a tool to the broker and on to the client.
package struct ConsumeDirectlyHeader: CommandHeader, Hashable {
    package var consumerGroup: String
    package var clientID: String?
    /// The offset id.
    package var messageID: String?
    /// Filled in by the broker.
    package var brokerName: String?

    package init(
        consumerGroup: String,
        clientID: String? = nil,
        messageID: String? = nil,
        brokerName: String? = nil
    ) {
        self.consumerGroup = consumerGroup
        self.clientID = clientID
        self.messageID = messageID
        self.brokerName = brokerName
    }

    package init(_ fields: HeaderFields) throws(HeaderError) {
        consumerGroup = try fields.requiredString("consumerGroup")
        clientID = fields.string("clientId")
        messageID = fields.string("msgId")
        brokerName = fields.string("brokerName")
    }

    package func write(to writer: inout FieldWriter) {
        writer.write("consumerGroup", consumerGroup)
        writer.write("clientId", clientID)
        writer.write("msgId", messageID)
        writer.write("brokerName", brokerName)
    }
}
