import Logging
package import MQProtocol
package import MQRemoting
import MQStore
package import NIOCore

/// The broker on one event loop: takes every request, answers what it can at once, and appends what the turn brought
/// in one go at its end.
///
/// Confined to its loop. What a family of requests does stands in `Requests/<Family>`; `BrokerLoop+Dispatch.swift` is
/// the list of them.
package final class BrokerLoop: RequestHandler {
    package let broker: Broker
    /// The fast port answers pulls as unknown requests, like RocketMQ's.
    let servesPulls: Bool
    package let eventLoop: any EventLoop
    /// The turn whose end calls ``turnEnded()``.
    let turn: EventLoopTurn
    /// What the requests of this turn staged.
    var work: TurnWork
    /// Stored, and waiting to be durable.
    var waiters = FlushWaiters<StoredReply>()
    /// Whether the flusher is to tell this loop what it made durable.
    let flushSignal = FlushSignal()
    /// The buffer into which a record is read that is stored again.
    var record = ByteBuffer()
    private var expiry: Scheduled<Void>?

    package init(broker: Broker, turn: EventLoopTurn, servesPulls: Bool = true) {
        self.broker = broker
        self.servesPulls = servesPulls
        self.turn = turn
        self.eventLoop = turn.eventLoop
        self.work = TurnWork(broker: broker, eventLoop: turn.eventLoop)
    }

    var settings: BrokerSettings.Snapshot { work.settings }
    var configuration: BrokerConfiguration { settings.configuration }

    package func handle(_ request: Frame, on connection: Connection) {
        do {
            try dispatch(request, connection)
        } catch {
            refuse(request.replyTo, on: connection, error)
        }
    }

    package func connectionClosed(_ connection: Connection) {
        broker.connectionClosed(connection.handle)
    }

    package func turnEnded() {
        commit()
        work.settings = broker.settings.current
    }

    static let help = "\nCreate it with: mqadmin updateTopic -n NAMESRV -c CLUSTER -t TOPIC"

    /// Decodes a header; what is wrong with it becomes the remark.
    static func header<Header: CommandHeader>(
        _ type: Header.Type, of frame: Frame
    ) throws(RequestError) -> Header {
        do {
            return try Header(frame.fields)
        } catch {
            throw RequestError(.systemError, "\(error)")
        }
    }

    // MARK: Answers

    /// Answers with a code and a text; nothing for a one-way request.
    func refuse(_ request: ReplyTo, on connection: Connection, _ error: RequestError) {
        guard !request.isOneWay else { return }
        connection.reply { buffer in
            buffer.writeResponse(error.code, to: request, remark: error.remark, header: EmptyHeader(), body: nil)
        }
    }

    /// The same for a send: clients read region and trace switch from failures too.
    func refuseSend(_ request: ReplyTo, on connection: Connection, _ error: RequestError) {
        let header = SendMessageResponseHeader(region: settings.sends.region, traceOn: settings.sends.traceOn)
        answer(request, on: connection, Reply(code: error.code, remark: error.remark, header: header))
    }

    func answer(_ request: ReplyTo, on connection: Connection, _ reply: Reply) {
        guard !request.isOneWay else { return }
        connection.reply { buffer in
            Self.writeReply(reply, header: reply.header, to: request, into: &buffer)
        }
    }

    private static func writeReply(
        _ reply: Reply,
        header: some CommandHeader,
        to request: ReplyTo,
        into buffer: inout ByteBuffer
    ) {
        buffer.writeResponse(reply.code, to: request, remark: reply.remark, header: header, body: reply.body)
    }

    /// Answers with what a handler made of the request, now or when it is ready.
    func complete(_ request: ReplyTo, on connection: Connection, _ outcome: Outcome) {
        switch outcome {
        case .reply(let reply):
            answer(request, on: connection, reply)
        case .later(let future):
            if request.isOneWay { connection.beginOneWay() }
            let bound = NIOLoopBound((loop: self, connection: connection), eventLoop: eventLoop)
            future.hop(to: eventLoop).whenComplete { result in
                let (loop, connection) = bound.value
                if request.isOneWay { return connection.endOneWay() }
                switch result {
                case .success(let reply): loop.answer(request, on: connection, reply)
                case .failure(let error as RequestError): loop.refuse(request, on: connection, error)
                case .failure(let error): loop.refuse(request, on: connection, RequestError(.systemError, "\(error)"))
                }
            }
        case .none:
            if !request.isOneWay { connection.finishWithoutReply() }
        }
    }

    // MARK: Waiting for the disk

    func wait(for stored: StoredReply) {
        let timeout = configuration.storage.syncFlushTimeout
        waiters.add(stored, end: stored.end, deadline: broker.time.now().advanced(by: timeout))
        if expiry == nil { scheduleExpiry() }
    }

    /// Answers who waited for what is durable by now, and asks to be told when more is.
    func answerFlushed() {
        guard !waiters.isEmpty else { return }
        // Asked before looking: a flush that ends in between is either seen here or reported.
        flushSignal.ask()
        let flushed = broker.store.flushedOffset
        while let stored = waiters.popFlushed(upTo: flushed) {
            answer(stored, status: stored.status)
        }
        if !waiters.isEmpty { broker.store.wakeFlusher() }
    }

    /// Its records are stored, but not known to be on the disk.
    private func expire(_ stored: StoredReply) {
        switch stored.kind {
        case .verdict:
            let error = RequestError(.systemBusy, "stored, but not flushed in time: repeat the request for its outcome")
            refuseVerdict(.busy, error, stored.request, stored.connection)
        case .plain:
            // A stock consumer sends a message back a second time when it is refused: only when it may be lost.
            guard let failure = broker.store.flushFailure else { return answer(stored, status: .success) }
            refuse(stored.request, on: stored.connection, RequestError(.systemError, "not flushed: \(failure)"))
        case .message, .messages:
            answer(stored, status: .flushDiskTimeout)
        }
    }

    /// One scheduled look per loop while anything waits, not one per message.
    private func scheduleExpiry() {
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        expiry = eventLoop.scheduleTask(in: .milliseconds(500)) { bound.value.expireWaiters() }
    }

    private func expireWaiters() {
        expiry = nil
        let now = broker.time.now()
        while let stored = waiters.popExpired(now: now) { expire(stored) }
        if !waiters.isEmpty { scheduleExpiry() }
    }
}
