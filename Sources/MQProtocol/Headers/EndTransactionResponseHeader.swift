/// What became of a verdict; the values of ``ProtocolExtension/verdictOutcome``.
package enum EndTransactionOutcome: String, Hashable, Sendable {
    /// It is stored now, or was before.
    case accepted
    /// The other verdict is final.
    case opposite
    /// The broker has no such half message.
    case unknown
    /// Not at this moment: repeat the request.
    case busy
}

/// The answer to END_TRANSACTION (37). A stock broker's has no fields.
package struct EndTransactionResponseHeader: CommandHeader, Hashable {
    /// Nil from a stock broker, and for requests that were refused before their verdict was looked at.
    package var outcome: EndTransactionOutcome?

    package init(_ outcome: EndTransactionOutcome?) {
        self.outcome = outcome
    }

    package init(_ fields: HeaderFields) throws(HeaderError) {
        outcome = fields.string(ProtocolExtension.verdictOutcome.name).flatMap(EndTransactionOutcome.init(rawValue:))
    }

    package func write(to writer: inout FieldWriter) {
        guard let outcome else { return }
        writer.write(ProtocolExtension.verdictOutcome.name, outcome.rawValue)
    }
}
