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
