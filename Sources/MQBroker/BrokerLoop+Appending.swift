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

    enum Purpose {
        /// A send; answered with the message ids.
        case message(queueID: Int32)
        /// A half message; known to the transaction table once it is stored.
        case half(queueID: Int32, HalfDraft)
        /// A message sent back by a consumer.
        case sentBack
        case verdict(HalfMessage, Verdict)
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
        guard !work.batch.isEmpty else { return }
        let started = ContinuousClock.now
        do {
            try broker.store.append(&work.batch)
        } catch {
            refuseStaged(error)
            work.batch.removeAll()
            return
        }
        // Out of the object meanwhile, which would be copied for every look at it.
        var (batch, staged) = (AppendBatch(limits: work.batch.limits), [StagedReply]())
        swap(&batch, &work.batch)
        swap(&staged, &work.staged)
        broker.statistics.stored(
            messages: batch.count, bytes: batch.byteCount, elapsed: started.duration(to: .now))
        answer(staged.span, in: batch)
        staged.removeAll(keepingCapacity: true)
        batch.removeAll()
        swap(&batch, &work.batch)
        swap(&staged, &work.staged)
        answerFlushed()
    }

    /// What is the same for all answers of a turn.
    private struct Placing {
        var settings: BrokerSettings.Snapshot
        /// Who wants to know that the message is safe hears after the flush.
        var waitsForDisk: Bool
    }

    /// The store refused the whole batch: nothing of it is in the log.
    private func refuseStaged(_ error: StoreError) {
        broker.statistics.storeFailed()
        let refusal = Self.refusal(error)
        for reply in work.staged {
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
        work.staged.removeAll(keepingCapacity: true)
    }

    private func answer(_ replies: Span<StagedReply>, in batch: borrowing AppendBatch) {
        let placing = Placing(settings: settings, waitsForDisk: broker.flushesSynchronously)
        for index in replies.indices { placed(replies, index, in: batch, placing) }
    }

    /// Answers the reply at `index`, or lets it wait. By its index, since a reply that is passed on is copied.
    private func placed(
        _ replies: Span<StagedReply>, _ index: Int, in batch: borrowing AppendBatch, _ placing: Placing
    ) {
        let kind = settle(replies, index, in: batch)
        let request = replies[index].request
        guard !request.isOneWay else { return }
        let (waits, saved, connection) = (replies[index].waits, replies[index].saved, replies[index].connection)
        // Of a message that is stored here, as far as others are concerned.
        let status = waits ? placing.settings.sends.replicationStatus : .success
        if saved == nil, !(waits && placing.waitsForDisk) {
            return answer(request, on: connection, kind, status, placing.settings.sends)
        }
        let last = batch[replies[index].items.upperBound - 1]
        let stored = StoredReply(
            connection: connection, request: request, kind: kind, status: status,
            end: last.logOffset + Int(last.size), saved: saved
        )
        if waits, placing.waitsForDisk { wait(for: stored) } else { answer(stored, status: status) }
    }

    /// Tells who keeps tables of it what was stored, and says what is to be answered.
    private func settle(
        _ replies: Span<StagedReply>, _ index: Int, in batch: borrowing AppendBatch
    ) -> StoredReply.Kind {
        let items = replies[index].items
        switch replies[index].purpose {
        case .message(let queueID):
            return Self.messageKind(queueID, items, in: batch)
        case .half(let queueID, let draft):
            let first = batch[items.lowerBound]
            broker.transactions.arrived(
                HalfMessage(
                    logOffset: first.logOffset, queueOffset: first.queueOffset, size: first.size, group: draft.group,
                    uniqueKey: draft.uniqueKey, bornTimestamp: draft.bornTimestamp, sent: draft.sent,
                    immunity: draft.immunity
                ),
                opFloor: draft.opFloor
            )
            return .message(queueID: queueID, first: first.logOffset, queueOffset: first.queueOffset)
        case .sentBack:
            return .plain
        case .verdict(let half, let verdict):
            broker.transactions.stored(half, verdict: verdict)
            return .verdict
        }
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

    /// Writes the answer to a request whose records are stored, now or when its topic is saved.
    func answer(_ stored: StoredReply, status: ResponseCode) {
        if let saved = stored.saved { return answer(stored, status: status, after: saved) }
        answer(stored.request, on: stored.connection, stored.kind, status, settings.sends)
    }

    /// Writes the answer to a request whose records are stored; `status` says how safe they are.
    private func answer(
        _ request: ReplyTo,
        on connection: Connection,
        _ kind: StoredReply.Kind,
        _ status: ResponseCode,
        _ sends: SendSettings
    ) {
        let host = broker.advertisedHost
        connection.reply { buffer in
            switch kind {
            case .plain:
                // Stored counts: told otherwise, a stock consumer sends the message a second time.
                buffer.writeResponse(.success, to: request, remark: nil, header: EmptyHeader(), body: nil)
            case .verdict:
                buffer.writeAccepted(request)
            case .message(let queueID, let first, let queueOffset):
                let answer = SendAnswer(
                    id: OffsetMessageID(host: host, offset: first), queueID: queueID, queueOffset: queueOffset,
                    region: sends.region, traceOn: sends.traceOn
                )
                guard status != .success else { return buffer.writeAnswer(answer, to: request) }
                buffer.writeResponse(
                    status, to: request, remark: Self.remark(of: status), header: answer.header, body: nil)
            case .messages(let queueID, let offsets, let queueOffset):
                let header = SendMessageResponseHeader(
                    messageIDs: .many(offsets.map { OffsetMessageID(host: host, offset: $0) }),
                    queueID: queueID, queueOffset: queueOffset, region: sends.region, traceOn: sends.traceOn
                )
                let remark = status == .success ? nil : Self.remark(of: status)
                buffer.writeResponse(status, to: request, remark: remark, header: header, body: nil)
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
