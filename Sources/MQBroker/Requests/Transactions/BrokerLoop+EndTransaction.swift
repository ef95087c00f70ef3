import Logging
import MQProtocol
import MQRemoting
import MQStore
import NIOCore

/// Verdicts: code 37, one-way from stock clients.
extension BrokerLoop {
    func endTransaction(_ frame: Frame, _ connection: Connection) throws(RequestError) {
        let header = try Self.header(EndTransactionHeader.self, of: frame)
        guard configuration.role != .slave else {
            throw RequestError(.slaveNotAvailable, "this broker is a slave: transactions end at the master")
        }
        guard let verdict = Self.verdict(header.verdict) else {
            // Unknown: the half stays as it is, and stock brokers do not answer.
            if !frame.isOneWay { connection.finishWithoutReply() }
            return
        }
        let end = EndTransaction(
            logOffset: header.logOffset, queueOffset: header.queueOffset, group: header.producerGroup,
            uniqueKey: header.messageID
        )
        settle(verdict, end, broker.transactions.decide(verdict, end), frame.replyTo, connection)
    }

    private static func verdict(_ number: Int32) -> Verdict? {
        switch SysFlag.TransactionType(rawValue: number) {
        case .commit: .commit
        case .rollback: .rollback
        default: nil
        }
    }

    private func settle(
        _ verdict: Verdict,
        _ end: EndTransaction,
        _ decision: HalfTable.Decision,
        _ request: ReplyTo,
        _ connection: Connection
    ) {
        switch decision {
        case .store(let half): store(verdict, half, request, connection)
        case .repeated: acceptRepeated(request, connection)
        case .opposite(let final): refuseOpposite(verdict, final, end, request, connection)
        case .beingStored: refuseBusy("a verdict is being stored", request, connection)
        case .wrongGroup: refuseUnknown("The producer group wrong", request, connection)
        case .wrongQueueOffset: refuseUnknown("The transaction state table offset wrong", request, connection)
        case .unknown: lookUp(verdict, end, request, connection)
        }
    }

    /// The table does not know the half (any more): the log is read, by a thread that may wait for it.
    private func lookUp(_ verdict: Verdict, _ end: EndTransaction, _ request: ReplyTo, _ connection: Connection) {
        let transactions = broker.transactions
        offLoop(for: request, on: connection) {
            transactions.history(of: end)
        } body: { [self] history in
            switch history {
            case .decided(let final):
                settle(verdict, end, transactions.settle(verdict, against: final), request, connection)
            case .undecided(let sent):
                let decision = transactions.decide(verdict, end, sent: sent)
                // Decided in between: the repeated request learns how.
                guard let decision else { return refuseBusy("the transaction was just decided", request, connection) }
                settle(verdict, end, decision, request, connection)
            case .noHalf: refuseUnknown("Find prepared transaction message failed", request, connection)
            case .wrongGroup: settle(verdict, end, .wrongGroup, request, connection)
            case .wrongQueueOffset: settle(verdict, end, .wrongQueueOffset, request, connection)
            case .notYet(let reason): refuseBusy(reason, request, connection)
            case nil: refuseBusy("the broker is stopping", request, connection)
            }
        }
    }

    // MARK: Answers

    /// The first of the two may not be durable yet: the second is not told so before it is.
    private func acceptRepeated(_ request: ReplyTo, _ connection: Connection) {
        guard !request.isOneWay else { return }
        let stored = StoredReply(
            connection: connection, request: request, kind: .verdict, status: .success, end: broker.store.appendedOffset
        )
        guard broker.flushesSynchronously else { return answer(stored, status: .success) }
        wait(for: stored)
        answerFlushed()
    }

    func refuseVerdict(
        _ outcome: EndTransactionOutcome, _ error: RequestError, _ request: ReplyTo, _ connection: Connection
    ) {
        let header = EndTransactionResponseHeader(outcome)
        answer(request, on: connection, Reply(code: error.code, remark: error.remark, header: header))
    }

    private func refuseUnknown(_ remark: String, _ request: ReplyTo, _ connection: Connection) {
        refuseVerdict(.unknown, RequestError(.systemError, remark), request, connection)
    }

    private func refuseBusy(_ reason: String, _ request: ReplyTo, _ connection: Connection) {
        let error = RequestError(.systemBusy, "\(reason), repeat the request for its outcome")
        refuseVerdict(.busy, error, request, connection)
    }

    /// One-way clients see no answer: the log is where a person learns of it.
    private func refuseOpposite(
        _ verdict: Verdict, _ final: Verdict, _ end: EndTransaction, _ request: ReplyTo, _ connection: Connection
    ) {
        broker.logger.error(
            "a verdict against a final one is refused",
            metadata: [
                "group": "\(end.group)", "key": "\(end.uniqueKey)", "final": "\(final.text)",
                "refused": "\(verdict.text)",
            ])
        let error = RequestError(
            .systemError, "the transaction is final: \(final.text); the later \(verdict.text) is refused"
        )
        refuseVerdict(.opposite, error, request, connection)
    }

    // MARK: Storing

    private func store(_ verdict: Verdict, _ half: HalfMessage, _ request: ReplyTo, _ connection: Connection) {
        guard verdict == .commit else { return stage(verdict, half, nil, request, connection) }
        guard broker.store.isCold(at: half.logOffset) else {
            return stage(verdict, half, nearRecord(at: half.logOffset), request, connection)
        }
        withRecord(at: half.logOffset, for: request, on: connection) { [self] in
            stage(verdict, half, $0, request, connection)
        }
    }

    /// Stages the real message and its op record, or the op record alone, as one group: both or neither.
    ///
    /// - Parameter record: the half's, for a commit.
    private func stage(
        _ verdict: Verdict,
        _ half: HalfMessage,
        _ record: StoredRecord?,
        _ request: ReplyTo,
        _ connection: Connection
    ) {
        let last: Int
        var saved: EventLoopFuture<Void>?
        work.batch.beginGroup()
        do throws(RequestError) {
            if verdict == .commit { saved = try stageCommitted(half, record) }
            last = try work.stageOp(half, verdict)
        } catch {
            work.batch.cancelGroup()
            broker.transactions.notStored(half)
            return refuseVerdict(.busy, error, request, connection)
        }
        work.batch.endGroup()
        work.staged.append(
            StagedReply(
                connection: connection, request: request,
                items: (verdict == .commit ? last - 1 : last)..<(last + 1), purpose: .verdict(half, verdict),
                waits: true, saved: saved
            )
        )
    }

    /// - Returns: what the answer waits for besides the records: the topic on disk.
    private func stageCommitted(
        _ half: HalfMessage, _ record: StoredRecord?
    ) throws(RequestError)
        -> EventLoopFuture<Void>?
    {
        guard let record else { throw Self.noHalf }
        let properties = record.properties
        let seen = SendProperties(properties)
        guard let name = seen.realTopic, let queueID = seen.realQueueID, queueID >= 0 else { throw Self.noHalf }
        let topic = work.topics.find(properties, name, in: broker.topics) ?? restore(properties, name, queueID)
        topic.statistics.stored(queueID: queueID, messages: 1, bytes: Int(half.size))
        var draft = HalfRecord.committed(record, at: half.logOffset, topic: topic.name, queueID: queueID)
        var queue = topic.queue(queueID)
        if let delay = seen.delay(in: properties), let request = try? delay.request(now: broker.time.now()) {
            draft.wait(for: request, maximumLevel: broker.delayLevels.maximum)
            queue = broker.store.queue(draft.topic, draft.queueID)
        }
        _ = try work.stage(draft, to: queue, isStoredAgain: true)
        return broker.saving(of: topic, on: eventLoop)
    }

    private static let noHalf = RequestError(.systemError, "Find prepared transaction message failed")

    /// The topic of a half was deleted meanwhile: it comes back with the message.
    private func restore(_ properties: ByteBuffer, _ name: Range<Int>, _ queueID: Int32) -> Topic {
        let text = properties.getString(at: properties.readerIndex + name.lowerBound, length: name.count) ?? ""
        return broker.topics.ensure(text, queues: queueID + 1)
    }
}
