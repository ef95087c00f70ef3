public import MQClient
import MQProtocol
import Synchronization

/// Transactions whose rows stand in another database than the service's own: the caller keeps the decision there, and
/// a checker registered with ``Escrow/checkTransactions(of:_:)`` reads it.
extension Escrow {
    /// Sends an event ahead as a half message.
    ///
    /// - Parameters:
    ///   - kind: the kind whose checker is asked when the verdict does not arrive.
    ///   - reference: told to the checker as the property `ESCROW_TX`: what the decision is found by.
    /// - Throws: ``EscrowError/Code/invalidName`` when the kind has no checker: nobody could settle it;
    ///   ``EscrowError/Code/invalidEvent``; ``EscrowError/Code/brokerUnavailable``.
    public func prepare(
        _ event: some Event, kind: String, reference: String
    ) async throws -> HalfMessage {
        guard registry.withLock({ $0.checkers[kind] }) != nil else {
            throw EscrowError(
                .invalidName, "No checker is registered for transactions of kind \"\(kind)\": checkTransactions(of:).")
        }
        let outgoing = try OutgoingEvent(event, in: namespace, trace: traces.headers)
        var message = Message(outgoing, identity: store.identity)
        message.properties[EventProperty.transaction] = reference
        message.properties[EventProperty.kind] = kind
        do {
            return try await connected().producer.sendHalf(message, orderedBy: outgoing.orderingKey)
        } catch let error as MQClientError {
            throw EscrowError(
                error.isFaultOfMessage ? .invalidEvent : .brokerUnavailable,
                "The half message was not stored: \(error)", cause: error)
        }
    }

    /// Sends the verdict once. When it is lost, the broker asks the checker.
    ///
    /// - Returns: what the broker made of it.
    public func settle(_ half: HalfMessage, _ verdict: Verdict) async throws -> VerdictAnswer {
        try await connected().producer.end(half, verdict)
    }
}
