/// What Escrow adds to RocketMQ's protocol. This file is the whole list.
///
/// Everything travels where a stock peer keeps or ignores what it does not know: in message properties and in optional
/// header fields. Client and broker announce themselves in the heartbeat and its answer; a peer that does not is stock.
package struct ProtocolExtension: Hashable, Sendable {
    package enum Carrier: String, Hashable, Sendable {
        /// A property of a message, stored in the log.
        case messageProperty
        /// A field of a request's header.
        case requestField
        /// A field of an answer's header.
        case responseField
    }

    /// The property's or field's name on the wire.
    package var name: String
    package var carrier: Carrier
    package var meaning: String
    package var stockPeer: String

    /// In the answer to a heartbeat (34): the broker's verdicts are final, and it delays by any time.
    ///
    /// Value: ``version``.
    package static let brokerAnnouncement = ProtocolExtension(
        name: "ESCROW", carrier: .responseField,
        meaning: "the broker keeps verdicts final and accepts any delay; value 1",
        stockPeer: "a stock client ignores fields of an answer it does not know")

    /// In a heartbeat (34): the client understands the broker's extensions. Value: ``version``.
    package static let clientAnnouncement = ProtocolExtension(
        name: "escrow", carrier: .requestField,
        meaning: "the client understands what this list adds; value 1",
        stockPeer: "a stock broker reads the heartbeat's body only")

    /// On an op record: which verdict decided the half message. Value: `commit` or `rollback`.
    package static let verdict = ProtocolExtension(
        name: "ESCROW_VERDICT", carrier: .messageProperty,
        meaning: "what an op record says about its half message: commit or rollback",
        stockPeer: "a stock broker reads an op record's tag and body; the property is carried along")

    /// In the answer to END_TRANSACTION (37): what became of the verdict. Values: ``EndTransactionOutcome``.
    package static let verdictOutcome = ProtocolExtension(
        name: "escrowVerdict", carrier: .responseField,
        meaning: "what became of a verdict: accepted, opposite, unknown or busy",
        stockPeer: "a stock client sends verdicts one-way; fields of an answer it does not know are ignored")

    /// On a half message without a unique key that was copied to the end of the log: where the first copy began, which
    /// is what tells that both are one transaction. Value: a log offset.
    package static let firstCopy = ProtocolExtension(
        name: "ESCROW_FIRST_COPY", carrier: .messageProperty,
        meaning: "the log offset of the first copy of a half message that has no unique key",
        stockPeer: "a stock broker carries the property along and takes the copy for another half message")

    /// On messages of the framework: what makes an event the same event when it arrives twice.
    package static let idempotencyKey = ProtocolExtension(
        name: "ESCROW_KEY", carrier: .messageProperty,
        meaning: "the idempotency key of the event in the body",
        stockPeer: "the property is carried along; stock consumers may dedupe by it")

    /// On messages of the framework: the identity of the database that published them.
    package static let database = ProtocolExtension(
        name: "ESCROW_DB", carrier: .messageProperty,
        meaning: "the identity of the publishing database, 32 hexadecimal digits",
        stockPeer: "the property is carried along")

    /// On half messages of the framework: the transaction whose fence tells the verdict.
    package static let transaction = ProtocolExtension(
        name: "ESCROW_TX", carrier: .messageProperty,
        meaning: "the id of the transaction, 32 hexadecimal digits",
        stockPeer: "the property is carried along, to the check-back too")

    /// On half messages of the framework: who answers their check-backs.
    package static let transactionKind = ProtocolExtension(
        name: "ESCROW_KIND", carrier: .messageProperty,
        meaning: "the kind of the transaction",
        stockPeer: "the property is carried along, to the check-back too")

    /// On messages of the framework, when a tracer is there: the trace in which they were published. A tracer may
    /// choose other names; these are W3C's, which RocketMQ's instrumentation of other languages writes and reads.
    package static let traceParent = ProtocolExtension(
        name: "traceparent", carrier: .messageProperty,
        meaning: "the W3C trace context of the publisher; tracestate and baggage may stand beside it",
        stockPeer: "the property is carried along; instrumented stock consumers go on with the trace")

    /// The value of both announcements.
    package static let version = "1"

    package static let all: [ProtocolExtension] = [
        brokerAnnouncement, clientAnnouncement, verdict, verdictOutcome, firstCopy, idempotencyKey, database,
        transaction, transactionKind, traceParent,
    ]
}
