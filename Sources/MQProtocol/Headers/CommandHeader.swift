/// The typed form of one request's (or response's) ext fields.
package protocol CommandHeader: Sendable {
    init(_ fields: HeaderFields) throws(HeaderError)
    /// Writes the members that are set; the order does not matter to any receiver.
    func write(to writer: inout FieldWriter)
    /// False: the frame is written without `extFields` at all.
    var hasFields: Bool { get }
}

extension CommandHeader {
    package var hasFields: Bool {
        true
    }
}

/// For requests and responses that have no header class in RocketMQ: `extFields` is left out.
package struct EmptyHeader: CommandHeader {
    package init() {}

    package init(_ fields: HeaderFields) {}

    package func write(to writer: inout FieldWriter) {}

    package var hasFields: Bool {
        false
    }
}

/// For answers whose header class has no members set: `extFields` is `{}`.
package struct NoFieldsHeader: CommandHeader {
    package init() {}

    package init(_ fields: HeaderFields) {}

    package func write(to writer: inout FieldWriter) {}
}

/// Forwards fields as they were received, whatever their encoding was.
extension HeaderFields: CommandHeader {
    package init(_ fields: HeaderFields) {
        self = fields
    }

    package func write(to writer: inout FieldWriter) {
        forEach { name, value in
            writer.write(name, value)
        }
    }
}
