import Logging
import MQProtocol
import Synchronization

/// Sends messages that become visible only when a local transaction has committed.
///
/// A half message is stored first, then the local work is done, then the verdict is sent. A broker that misses the
/// verdict asks for it, and `check` answers: so ``run()`` should be running, and the client's ``MQClient/run()`` too,
/// which announces the group to every master.
///
/// ```swift
/// let producer = try TransactionProducer(client, group: "Shop") { check in
///     await orders.isPaid(check.message.keys.first) ? .commit : .rollback
/// }
/// let half = try await producer.sendHalf(Message(topic: "OrderPaid", body: "17"))
/// try await orders.pay("17")
/// _ = try await producer.end(half, .commit)
/// ```
public final class TransactionProducer: Sendable {
    public static let concurrentChecks = 64
    public static let waitingChecks = 10_000

    public let group: String
    let client: MQClient
    let check: @Sendable (CheckBack) async -> Verdict
    let backlog = CheckBacklog(limit: TransactionProducer.waitingChecks)

    /// Registers the group, which the client's next heartbeat announces.
    ///
    /// - Parameter check: gives the verdict on a half message of the group, perhaps of an earlier process. At most 64
    ///   run at once, 10,000 wait; beyond that a check-back stays unanswered, is counted, and comes again.
    /// - Throws: ``MQClientError/Code/groupInUse``, ``MQClientError/Code/invalidGroup``.
    public init(
        _ client: MQClient, group: String, check: @escaping @Sendable (CheckBack) async -> Verdict
    ) throws(MQClientError) {
        self.client = client
        self.group = group
        self.check = check
        let backlog = backlog
        let logger = client.configuration.logger
        let presence = ProducerPresence(group: group) { request in
            guard !backlog.offer(request) else { return }
            logger.debug("a check-back stays unanswered: too many wait", metadata: ["group": "\(group)"])
        }
        try client.register(producer: presence)
    }

    /// Check-backs that found too many others waiting, and were left to be asked again.
    public var unansweredChecks: Int {
        backlog.dropped
    }

    /// Stores a message that nobody sees before its verdict.
    ///
    /// With a key it goes to the key's queue, in one attempt; without, as ``MQClient/send(_:)-(Message)`` sends.
    ///
    /// - Returns: a half message that is stored, whatever its status says about flush and slaves.
    /// - Throws: ``MQClientError``, as ``MQClient/send(_:)-(Message)``. After a lost answer a half message may be
    ///   stored that nobody knows of: the broker asks for its verdict.
    public func sendHalf(_ message: Message, orderedBy key: String? = nil) async throws(MQClientError) -> HalfMessage {
        let encoded = try message.encoded(ids: client.ids, configuration: client.configuration)
        let outgoing = OutgoingSend(half: message, encoded, group: group)
        guard let key else { return try half(try await client.send(outgoing)) }
        let queue = try await client.queue(of: message.topic, key: key)
        return try half(try await client.send(outgoing, to: queue, by: client.sendDeadline()))
    }

    /// Says what became of a half message.
    ///
    /// It may be repeated as long as the answer is ``VerdictAnswer/unanswered``. A stock broker
    /// (``HalfMessage/keepsVerdictsFinal`` is false) then may deliver a commit twice, and asks back instead when it is
    /// not repeated.
    ///
    /// - Throws: ``MQClientError`` when the verdict was certainly not taken: ``MQClientError/Code/brokerUnreachable``,
    ///   ``MQClientError/Code/brokerUnknown``, ``MQClientError/Code/refused``.
    public func end(_ half: HalfMessage, _ verdict: Verdict) async throws(MQClientError) -> VerdictAnswer {
        try await client.end(half, verdict, group: group)
    }

    /// Repeats a verdict whose answer was lost: not to a stock broker that has delivered the message already.
    ///
    /// - Throws: as ``end(_:_:)``.
    package func endAgain(_ half: HalfMessage, _ verdict: Verdict) async throws(MQClientError) -> VerdictAnswer {
        if verdict == .commit, (try? await client.isDelivered(half)) == true { return .accepted }
        return try await end(half, verdict)
    }

    /// Withdraws the group: no further check-backs come, those that wait stay unanswered.
    public func close() {
        client.unregister(producer: group)
        backlog.close()
    }

    private func half(_ sent: SendAnswer) throws(MQClientError) -> HalfMessage {
        let receipt = sent.receipt
        guard let place = OffsetMessageID(receipt.offsetMessageID) else {
            throw MQClientError(
                .malformedResponse,
                "\(receipt.brokerAddress) stored a half message and gave it the id \"\(receipt.offsetMessageID)\", "
                    + "which does not say where it is. Is it a RocketMQ broker?")
        }
        return HalfMessage(
            topic: receipt.queue.topic, brokerName: receipt.queue.brokerName, brokerAddress: receipt.brokerAddress,
            queueID: receipt.queue.queueID, logOffset: place.offset.rawValue, queueOffset: receipt.queueOffset,
            messageID: receipt.messageID,
            transactionID: sent.answer.fields.string("transactionId") ?? receipt.messageID,
            status: receipt.status, keepsVerdictsFinal: client.announcesEscrow(receipt.brokerAddress))
    }
}
