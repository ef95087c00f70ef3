import Logging
import MQProtocol
import MQRemoting
import MQStore
import NIOCore

/// An answer that waits for the records of its request to be appended.
struct StagedReply {
    var connection: Connection
    var request: ReplyTo
    /// The request's records in the batch of this turn.
    var items: Range<Int>
    var purpose: Purpose
    /// The sender wants to hear when the message is safe, not only that it is stored.
    var waits: Bool
    /// Completes when the topic of the message is on disk; nil when it is.
    var saved: EventLoopFuture<Void>?

    /// What is seldom or large is boxed: replies are moved around more often than looked into.
    enum Purpose {
        /// A send; answered with the message ids.
        case message(queueID: Int32)
        /// A half message; known to the transaction table once it is stored.
        indirect case half(queueID: Int32, HalfDraft)
        /// A message sent back by a consumer.
        case sentBack
        indirect case verdict(HalfMessage, Verdict)
    }

    /// What the table will know of a half that has no place yet.
    struct HalfDraft {
        var group: String
        var uniqueKey: String
        var bornTimestamp: Timestamp
        var sent: Timestamp
        var immunity: Duration?
        /// The op queue's end before the half is appended.
        var opFloor = QueueOffset.zero
    }
}

/// An answer whose records have their place in the log.
struct StoredReply {
    var connection: Connection
    var request: ReplyTo
    var kind: Kind
    var status: ResponseCode
    /// The end of the last record.
    var end: LogOffset
    /// The answer is held back until this completes.
    var saved: EventLoopFuture<Void>?

    enum Kind {
        case message(queueID: Int32, first: LogOffset, queueOffset: QueueOffset)
        /// A client batch: its answer names every message.
        case messages(queueID: Int32, [LogOffset], queueOffset: QueueOffset)
        /// A verdict, stored now or before.
        case verdict
        case plain
    }
}

extension BrokerLoop {
    /// Appends what this turn staged, with one lock hold and one write, and answers it.
    func commit() {
        guard !batch.isEmpty else { return }
        let started = ContinuousClock.now
        do {
            try broker.store.append(&batch)
        } catch {
            refuseStaged(error)
            batch.removeAll()
            return
        }
        broker.statistics.stored(messages: batch.count, bytes: batch.byteCount, elapsed: started.duration(to: .now))
        let status = settings.sends.replicationStatus
        // Out of the object meanwhile, which would be copied for every look at it.
        var (batch, staged) = (AppendBatch(limits: batch.limits), [StagedReply]())
        swap(&batch, &self.batch)
        swap(&staged, &self.staged)
        for index in staged.indices { placed(staged[index], in: batch, status) }
        staged.removeAll(keepingCapacity: true)
        batch.removeAll()
        swap(&batch, &self.batch)
        swap(&staged, &self.staged)
        answerFlushed()
    }

    /// The store refused the whole batch: nothing of it is in the log.
    private func refuseStaged(_ error: StoreError) {
        broker.statistics.storeFailed()
        let refusal = Self.refusal(error)
        for reply in staged {
            switch reply.purpose {
            case .message, .half:
                refuseSend(reply.request, on: reply.connection, refusal)
            case .sentBack:
                refuse(reply.request, on: reply.connection, refusal)
            case .verdict(let half, _):
                broker.transactions.notStored(half)
                refuseVerdict(.busy, refusal, reply.request, reply.connection)
            }
        }
        staged.removeAll(keepingCapacity: true)
    }

    /// - Parameter status: of a message that is stored here, as far as others are concerned.
    private func placed(_ reply: StagedReply, in batch: borrowing AppendBatch, _ status: ResponseCode) {
        let first = batch[reply.items.lowerBound]
        let last = batch[reply.items.upperBound - 1]
        var kind = StoredReply.Kind.plain
        switch reply.purpose {
        case .message(let queueID):
            kind = Self.messageKind(queueID, reply.items, in: batch)
        case .half(let queueID, let draft):
            kind = .message(queueID: queueID, first: first.logOffset, queueOffset: first.queueOffset)
            broker.transactions.arrived(
                HalfMessage(
                    logOffset: first.logOffset, queueOffset: first.queueOffset, size: first.size, group: draft.group,
                    uniqueKey: draft.uniqueKey, bornTimestamp: draft.bornTimestamp, sent: draft.sent,
                    immunity: draft.immunity
                ),
                opFloor: draft.opFloor
            )
        case .sentBack:
            break
        case .verdict(let half, let verdict):
            kind = .verdict
            broker.transactions.stored(half, verdict: verdict)
        }
        guard !reply.request.isOneWay else { return }
        let stored = StoredReply(
            connection: reply.connection, request: reply.request, kind: kind,
            status: reply.waits ? status : .success,
            end: last.logOffset + Int(last.size), saved: reply.saved
        )
        if reply.waits, broker.flushesSynchronously { wait(for: stored) } else { answer(stored, status: stored.status) }
    }

    private static func messageKind(
        _ queueID: Int32,
        _ items: Range<Int>,
        in batch: borrowing AppendBatch
    ) -> StoredReply.Kind {
        let first = batch[items.lowerBound]
        guard items.count > 1 else {
            return .message(queueID: queueID, first: first.logOffset, queueOffset: first.queueOffset)
        }
        return .messages(queueID: queueID, items.map { batch[$0].logOffset }, queueOffset: first.queueOffset)
    }

    /// Writes the answer to a request whose records are stored; `status` says how safe they are.
    func answer(_ stored: StoredReply, status: ResponseCode) {
        if let saved = stored.saved { return answer(stored, status: status, after: saved) }
        let remark: String? = status == .success ? nil : Self.remark(of: status)
        let broker = broker
        let settings = settings
        stored.connection.reply { buffer in
            switch stored.kind {
            case .plain:
                // Stored counts: told otherwise, a stock consumer sends the message a second time.
                buffer.writeResponse(.success, to: stored.request, remark: nil, header: EmptyHeader(), body: nil)
            case .verdict:
                buffer.writeAccepted(stored.request)
            case .message(let queueID, let first, let queueOffset):
                let answer = SendAnswer(
                    id: OffsetMessageID(host: broker.advertisedHost, offset: first), queueID: queueID,
                    queueOffset: queueOffset, region: settings.sends.region, traceOn: settings.sends.traceOn
                )
                guard let remark else { return buffer.writeAnswer(answer, to: stored.request) }
                buffer.writeResponse(status, to: stored.request, remark: remark, header: answer.header, body: nil)
            case .messages(let queueID, let offsets, let queueOffset):
                let header = SendMessageResponseHeader(
                    messageIDs: .many(offsets.map { OffsetMessageID(host: broker.advertisedHost, offset: $0) }),
                    queueID: queueID, queueOffset: queueOffset, region: settings.sends.region,
                    traceOn: settings.sends.traceOn
                )
                buffer.writeResponse(status, to: stored.request, remark: remark, header: header, body: nil)
            }
        }
    }

    private func answer(_ stored: StoredReply, status: ResponseCode, after saved: EventLoopFuture<Void>) {
        let bound = NIOLoopBound((loop: self, stored: stored), eventLoop: eventLoop)
        saved.whenComplete { result in
            var (loop, stored) = bound.value
            stored.saved = nil
            if case .failure(let error) = result {
                let refusal = RequestError(.systemError, "stored, but its new topic could not be saved: \(error)")
                return loop.refuse(stored.request, on: stored.connection, refusal)
            }
            loop.answer(stored, status: status)
        }
    }

    private static func remark(of status: ResponseCode) -> String {
        switch status {
        case .flushDiskTimeout: "stored, but the disk did not confirm it in time (syncFlushTimeout)"
        case .slaveNotAvailable: "stored, but no slave is connected to replicate it to"
        default: "stored, but not replicated in time"
        }
    }

    /// The response code of an error of the store, with one exact cause.
    static func refusal(_ error: StoreError) -> RequestError {
        switch error.code {
        case .recordTooLarge, .propertiesTooLarge, .illegalRecord:
            RequestError(.messageIllegal, "the message is illegal: \(error.message)")
        case .diskFull, .inputOutput, .notWritable, .closed:
            RequestError(.serviceNotAvailable, "service not available now: \(error.message)")
        default:
            RequestError(.systemError, error.message)
        }
    }
}
