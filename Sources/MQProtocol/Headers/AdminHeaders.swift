/// The answer to GET_BROKER_CONFIG (26).
package struct BrokerConfigResponseHeader: CommandHeader, Hashable {
    /// The JSON text of a ``DataVersion``.
    package var version: String

    package init(version: String) {
        self.version = version
    }

    package init(_ fields: HeaderFields) throws(HeaderError) {
        version = try fields.requiredString("version")
    }

    package func write(to writer: inout FieldWriter) {
        writer.write("version", version)
    }
}

/// VIEW_BROKER_STATS_DATA (315).
package struct ViewStatisticsHeader: CommandHeader, Hashable {
    package var name: String
    package var key: String

    package init(name: String, key: String) {
        self.name = name
        self.key = key
    }

    package init(_ fields: HeaderFields) throws(HeaderError) {
        name = try fields.requiredString("statsName")
        key = try fields.requiredString("statsKey")
    }

    package func write(to writer: inout FieldWriter) {
        writer.write("statsName", name)
        writer.write("statsKey", key)
    }
}

/// RESUME_CHECK_HALF_MESSAGE (323).
package struct ResumeCheckHeader: CommandHeader, Hashable {
    /// The offset id of the half message.
    package var messageID: String

    package init(messageID: String) {
        self.messageID = messageID
    }

    package init(_ fields: HeaderFields) throws(HeaderError) {
        messageID = try fields.requiredString("msgId")
    }

    package func write(to writer: inout FieldWriter) {
        writer.write("msgId", messageID)
    }
}
