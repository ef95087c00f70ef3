/// PUT_KV_CONFIG (100), without a value GET_KV_CONFIG (101) and DELETE_KV_CONFIG (102).
package struct KeyValueHeader: CommandHeader, Hashable {
    package var namespace: String
    package var key: String
    package var value: String?

    package init(namespace: String, key: String, value: String? = nil) {
        self.namespace = namespace
        self.key = key
        self.value = value
    }

    package init(_ fields: HeaderFields) throws(HeaderError) {
        namespace = try fields.requiredString("namespace")
        key = try fields.requiredString("key")
        value = fields.string("value")
    }

    package func write(to writer: inout FieldWriter) {
        writer.write("namespace", namespace)
        writer.write("key", key)
        writer.write("value", value)
    }
}

/// The answer to 101.
package struct KeyValueResponseHeader: CommandHeader, Hashable {
    package var value: String?

    package init(value: String? = nil) {
        self.value = value
    }

    package init(_ fields: HeaderFields) throws(HeaderError) {
        value = fields.string("value")
    }

    package func write(to writer: inout FieldWriter) {
        writer.write("value", value)
    }
}

/// GET_KVLIST_BY_NAMESPACE (219).
package struct NamespaceHeader: CommandHeader, Hashable {
    package var namespace: String

    package init(namespace: String) {
        self.namespace = namespace
    }

    package init(_ fields: HeaderFields) throws(HeaderError) {
        namespace = try fields.requiredString("namespace")
    }

    package func write(to writer: inout FieldWriter) {
        writer.write("namespace", namespace)
    }
}

/// GET_ROUTEINFO_BY_TOPIC (105).
package struct RouteHeader: CommandHeader, Hashable {
    package var topic: String
    package var acceptsOnlyStandardJSON: Bool?

    package init(topic: String, acceptsOnlyStandardJSON: Bool? = nil) {
        self.topic = topic
        self.acceptsOnlyStandardJSON = acceptsOnlyStandardJSON
    }

    package init(_ fields: HeaderFields) throws(HeaderError) {
        topic = try fields.requiredString("topic")
        acceptsOnlyStandardJSON = fields.bool("acceptStandardJsonOnly")
    }

    package func write(to writer: inout FieldWriter) {
        writer.write("topic", topic)
        writer.write("acceptStandardJsonOnly", acceptsOnlyStandardJSON)
    }
}

/// WIPE_WRITE_PERM_OF_BROKER (205) and ADD_WRITE_PERM_OF_BROKER (327).
package struct BrokerNameHeader: CommandHeader, Hashable {
    package var brokerName: String

    package init(brokerName: String) {
        self.brokerName = brokerName
    }

    package init(_ fields: HeaderFields) throws(HeaderError) {
        brokerName = try fields.requiredString("brokerName")
    }

    package func write(to writer: inout FieldWriter) {
        writer.write("brokerName", brokerName)
    }
}

/// The answer to 205.
package struct WipeWritePermissionResponseHeader: CommandHeader, Hashable {
    package var topicCount: Int32

    package init(topicCount: Int32) {
        self.topicCount = topicCount
    }

    package init(_ fields: HeaderFields) throws(HeaderError) {
        topicCount = try fields.requiredInt32("wipeTopicCount")
    }

    package func write(to writer: inout FieldWriter) {
        writer.write("wipeTopicCount", topicCount)
    }
}

/// The answer to 327.
package struct AddWritePermissionResponseHeader: CommandHeader, Hashable {
    package var topicCount: Int32

    package init(topicCount: Int32) {
        self.topicCount = topicCount
    }

    package init(_ fields: HeaderFields) throws(HeaderError) {
        topicCount = try fields.requiredInt32("addTopicCount")
    }

    package func write(to writer: inout FieldWriter) {
        writer.write("addTopicCount", topicCount)
    }
}

/// DELETE_TOPIC_IN_NAMESRV (216).
package struct DeleteTopicInNameServerHeader: CommandHeader, Hashable {
    package var topic: String
    package var clusterName: String?

    package init(topic: String, clusterName: String? = nil) {
        self.topic = topic
        self.clusterName = clusterName
    }

    package init(_ fields: HeaderFields) throws(HeaderError) {
        topic = try fields.requiredString("topic")
        clusterName = fields.string("clusterName")
    }

    package func write(to writer: inout FieldWriter) {
        writer.write("topic", topic)
        writer.write("clusterName", clusterName)
    }
}

/// GET_TOPICS_BY_CLUSTER (224).
package struct ClusterHeader: CommandHeader, Hashable {
    package var cluster: String

    package init(cluster: String) {
        self.cluster = cluster
    }

    package init(_ fields: HeaderFields) throws(HeaderError) {
        cluster = try fields.requiredString("cluster")
    }

    package func write(to writer: inout FieldWriter) {
        writer.write("cluster", cluster)
    }
}
