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
        switch broker.transactions.decide(verdict, end) {
        case .store(let half):
            do throws(RequestError) {
                try stage(verdict, half, frame.replyTo, connection)
            } catch {
                broker.transactions.notStored(half)
                throw error
            }
        case .repeated:
            answer(frame.replyTo, on: connection, Reply())
        case .opposite(let final):
            try refuseOpposite(verdict, final, end)
        case .beingStored:
            throw RequestError(.systemBusy, "the same verdict is being stored, repeat the request for its outcome")
        case .wrongGroup: throw RequestError(.systemError, "The producer group wrong")
        case .wrongQueueOffset: throw RequestError(.systemError, "The transaction state table offset wrong")
        case .unknown: throw RequestError(.systemError, "Find prepared transaction message failed")
        }
    }

    private static func verdict(_ number: Int32) -> Verdict? {
        switch SysFlag.TransactionType(rawValue: number) {
        case .commit: .commit
        case .rollback: .rollback
        default: nil
        }
    }

    /// One-way clients see no answer: the log is where a person learns of it.
    private func refuseOpposite(_ verdict: Verdict, _ final: Verdict, _ end: EndTransaction) throws(RequestError) {
        broker.logger.error(
            "a verdict against a final one is refused",
            metadata: [
                "group": "\(end.group)", "key": "\(end.uniqueKey)", "final": "\(final.text)",
                "refused": "\(verdict.text)",
            ])
        throw RequestError(
            .systemError, "the transaction is final: \(final.text); the later \(verdict.text) is refused"
        )
    }

    /// Stages the real message and its op record, or the op record alone, as one group: both or neither.
    private func stage(
        _ verdict: Verdict,
        _ half: HalfMessage,
        _ request: ReplyTo,
        _ connection: Connection
    ) throws(RequestError) {
        let first = batch.count
        batch.beginGroup()
        do throws(RequestError) {
            if verdict == .commit { try stageCommitted(half) }
            let op = HalfRecord.op(half, verdict: verdict, host: broker.advertisedHost, now: broker.time.now())
            _ = try stage(op, to: broker.transactions.opQueue)
        } catch {
            batch.cancelGroup()
            throw error
        }
        batch.endGroup()
        staged.append(
            StagedReply(
                connection: connection, request: request, items: first..<batch.count, purpose: .verdict(half, verdict),
                waits: true
            )
        )
    }

    private func stageCommitted(_ half: HalfMessage) throws(RequestError) {
        guard let record = broker.store.record(at: half.logOffset).flatMap(StoredRecord.init),
            var draft = HalfRecord.committed(record, at: half.logOffset)
        else {
            throw RequestError(.systemError, "Find prepared transaction message failed")
        }
        let topic = broker.topics.find(draft.topic) ?? broker.topics.ensure(draft.topic, queues: draft.queueID + 1)
        topic.statistics.stored(queueID: draft.queueID, messages: 1, bytes: Int(half.size))
        var queue = topic.queue(draft.queueID)
        let delay = SendProperties(record.properties).delay
        if !delay.isEmpty, let request = try? delay.request(now: broker.time.now()) {
            draft.wait(for: request, maximumLevel: broker.delayLevels.maximum)
            queue = broker.store.queue(draft.topic, draft.queueID)
        }
        _ = try stage(draft, to: queue)
    }
}
