/// REGISTER_BROKER (103).
package struct RegisterBrokerHeader: CommandHeader, Hashable {
    package var brokerName: String
    /// `ip:port` that clients connect to.
    package var brokerAddress: String
    package var clusterName: String
    package var haServerAddress: String
    /// 0 for a master.
    package var brokerID: Int64
    package var isCompressed: Bool
    /// Masked CRC-32 of the body as sent; 0 means that it is not checked.
    package var bodyCRC: Int32
    /// Of 5.x brokers.
    package var heartbeatTimeoutMilliseconds: Int64?

    package init(
        brokerName: String,
        brokerAddress: String,
        clusterName: String,
        haServerAddress: String,
        brokerID: Int64,
        isCompressed: Bool = false,
        bodyCRC: Int32 = 0,
        heartbeatTimeoutMilliseconds: Int64? = nil
    ) {
        self.brokerName = brokerName
        self.brokerAddress = brokerAddress
        self.clusterName = clusterName
        self.haServerAddress = haServerAddress
        self.brokerID = brokerID
        self.isCompressed = isCompressed
        self.bodyCRC = bodyCRC
        self.heartbeatTimeoutMilliseconds = heartbeatTimeoutMilliseconds
    }

    package init(_ fields: HeaderFields) throws(HeaderError) {
        brokerName = try fields.requiredString("brokerName")
        brokerAddress = try fields.requiredString("brokerAddr")
        clusterName = try fields.requiredString("clusterName")
        haServerAddress = try fields.requiredString("haServerAddr")
        brokerID = try fields.requiredInt64("brokerId")
        isCompressed = fields.bool("compressed") ?? false
        bodyCRC = fields.int32("bodyCrc32") ?? 0
        heartbeatTimeoutMilliseconds = fields.int64("heartbeatTimeoutMillis")
    }

    package func write(to writer: inout FieldWriter) {
        writer.write("brokerName", brokerName)
        writer.write("brokerAddr", brokerAddress)
        writer.write("clusterName", clusterName)
        writer.write("haServerAddr", haServerAddress)
        writer.write("brokerId", brokerID)
        writer.write("compressed", isCompressed)
        writer.write("bodyCrc32", bodyCRC)
        writer.write("heartbeatTimeoutMillis", heartbeatTimeoutMilliseconds)
    }
}

/// The answer to 103; set only for slaves whose master is there.
package struct RegisterBrokerResponseHeader: CommandHeader, Hashable {
    package var haServerAddress: String?
    package var masterAddress: String?

    package init(haServerAddress: String? = nil, masterAddress: String? = nil) {
        self.haServerAddress = haServerAddress
        self.masterAddress = masterAddress
    }

    package init(_ fields: HeaderFields) throws(HeaderError) {
        haServerAddress = fields.string("haServerAddr")
        masterAddress = fields.string("masterAddr")
    }

    package func write(to writer: inout FieldWriter) {
        writer.write("haServerAddr", haServerAddress)
        writer.write("masterAddr", masterAddress)
    }
}

/// UNREGISTER_BROKER (104).
package struct UnregisterBrokerHeader: CommandHeader, Hashable {
    package var brokerName: String
    package var brokerAddress: String
    package var clusterName: String
    package var brokerID: Int64

    package init(brokerName: String, brokerAddress: String, clusterName: String, brokerID: Int64) {
        self.brokerName = brokerName
        self.brokerAddress = brokerAddress
        self.clusterName = clusterName
        self.brokerID = brokerID
    }

    package init(_ fields: HeaderFields) throws(HeaderError) {
        brokerName = try fields.requiredString("brokerName")
        brokerAddress = try fields.requiredString("brokerAddr")
        clusterName = try fields.requiredString("clusterName")
        brokerID = try fields.requiredInt64("brokerId")
    }

    package func write(to writer: inout FieldWriter) {
        writer.write("brokerName", brokerName)
        writer.write("brokerAddr", brokerAddress)
        writer.write("clusterName", clusterName)
        writer.write("brokerId", brokerID)
    }
}

/// QUERY_DATA_VERSION (322).
package struct QueryDataVersionHeader: CommandHeader, Hashable {
    package var brokerName: String
    package var brokerAddress: String
    package var clusterName: String
    package var brokerID: Int64

    package init(brokerName: String, brokerAddress: String, clusterName: String, brokerID: Int64) {
        self.brokerName = brokerName
        self.brokerAddress = brokerAddress
        self.clusterName = clusterName
        self.brokerID = brokerID
    }

    package init(_ fields: HeaderFields) throws(HeaderError) {
        brokerName = try fields.requiredString("brokerName")
        brokerAddress = try fields.requiredString("brokerAddr")
        clusterName = try fields.requiredString("clusterName")
        brokerID = try fields.requiredInt64("brokerId")
    }

    package func write(to writer: inout FieldWriter) {
        writer.write("brokerName", brokerName)
        writer.write("brokerAddr", brokerAddress)
        writer.write("clusterName", clusterName)
        writer.write("brokerId", brokerID)
    }
}

/// The answer to 322.
package struct QueryDataVersionResponseHeader: CommandHeader, Hashable {
    package var changed: Bool

    package init(changed: Bool) {
        self.changed = changed
    }

    package init(_ fields: HeaderFields) throws(HeaderError) {
        changed = try fields.requiredBool("changed")
    }

    package func write(to writer: inout FieldWriter) {
        writer.write("changed", changed)
    }
}
