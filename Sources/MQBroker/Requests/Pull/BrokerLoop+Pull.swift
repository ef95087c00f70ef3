import MQProtocol
import MQRemoting
import MQStore
import NIOCore
import NIOPosix

/// Pulls: code 11, and 361 as 5.x's lite consumers send it.
extension BrokerLoop {
    /// The longest subscription that comes with a pull: it is read on the event loop each time.
    private static let maximumExpressionBytes = 65_536

    func pull(_ frame: Frame, _ connection: Connection) throws(RequestError) {
        // Nobody would hear the answer.
        if frame.isOneWay { return }
        let header = try Self.header(PullMessageHeader.self, of: frame)
        let group = try pullGroup(header)
        let topic = try pullTopic(header)
        let filter = try pullFilter(header, group)
        if header.flags.contains(.commitOffset), configuration.role != .slave {
            _ = broker.offsets.commitByClient(
                group: header.consumerGroup, topic: header.topic, queueID: header.queueID,
                offset: header.commitOffset.rawValue
            )
        }
        let queue = topic.queue(header.queueID)
        let query = PullQuery(
            group: header.consumerGroup, offset: header.queueOffset,
            maximumCount: Int(max(header.maximumMessages, 1)), filter: filter
        )
        let pull = Pull(
            request: frame.replyTo, connection: connection, queue: queue, query: query,
            hold: header.flags.contains(.suspend) ? holdTime(header) : nil
        )
        look(pull)
    }

    /// A pull that is being answered.
    private struct Pull {
        var request: ReplyTo
        var connection: Connection
        var queue: QueueRef
        var query: PullQuery
        /// How long it waits for a message when there is none; nil: it does not.
        var hold: Duration?
    }

    // MARK: Checks, in stock's order

    private func pullGroup(_ header: PullMessageHeader) throws(RequestError) -> SubscriptionGroupConfig {
        guard configuration.isReadable else {
            throw RequestError(.noPermission, "the broker[\(broker.advertisedHost)] pulling message is forbidden")
        }
        guard let group = broker.groups.findOrCreate(header.consumerGroup) else {
            throw RequestError(
                .subscriptionGroupNotExist, "subscription group [\(header.consumerGroup)] does not exist"
            )
        }
        guard group.consumeEnable else {
            throw RequestError(.noPermission, "subscription group no permission, \(header.consumerGroup)")
        }
        return group
    }

    private func pullTopic(_ header: PullMessageHeader) throws(RequestError) -> Topic {
        guard let topic = broker.topics.find(header.topic) else {
            throw RequestError(.topicNotExist, "topic[\(header.topic)] not exist, apply first please!\(Self.help)")
        }
        let config = topic.config
        guard config.perm & 4 != 0 else {
            throw RequestError(.noPermission, "the topic[\(header.topic)] pulling message is forbidden")
        }
        guard header.queueID >= 0, header.queueID < config.readQueueNums else {
            throw RequestError(
                .systemError,
                """
                queueId[\(header.queueID)] is illegal, topic:[\(header.topic)] \
                topicConfig.readQueueNums:[\(config.readQueueNums)] consumer:[\(header.consumerGroup)]
                """
            )
        }
        return topic
    }

    private func pullFilter(
        _ header: PullMessageHeader, _ group: SubscriptionGroupConfig
    ) throws(RequestError) -> TagFilter {
        if header.flags.contains(.subscription) {
            try refuseExpressions(header.expressionType)
            let expression = header.subscription ?? "*"
            guard expression.utf8.count <= Self.maximumExpressionBytes else {
                throw RequestError(
                    .subscriptionParseFailed,
                    "parse the consumer's subscription failed: it is longer than \(Self.maximumExpressionBytes) bytes"
                )
            }
            return TagFilter(expression: expression)
        }
        guard group.consumeBroadcastEnable || broker.clients.isBroadcasting(group: group.groupName) != true else {
            throw RequestError(
                .noPermission, "the consumer group[\(group.groupName)] can not consume by broadcast way"
            )
        }
        let registered = broker.clients.subscription(group: header.consumerGroup, topic: header.topic)
        guard let registered else {
            let isKnown = broker.clients.consumerGroup(header.consumerGroup) != nil
            let what = isKnown ? "subscription" : "group info"
            throw RequestError(.subscriptionNotExist, "the consumer's \(what) not exist")
        }
        guard registered.data.subVersion >= header.subscriptionVersion else {
            throw RequestError(.subscriptionNotLatest, "the consumer's subscription not latest")
        }
        try refuseExpressions(registered.data.expressionType)
        return registered.filter
    }

    private func refuseExpressions(_ type: String?) throws(RequestError) {
        guard let type, !type.isEmpty, type != "TAG" else { return }
        throw RequestError(.systemError, "The broker does not support consumer to filter message by \(type)")
    }

    private func holdTime(_ header: PullMessageHeader) -> Duration {
        let clients = configuration.clients
        guard clients.longPolling else { return clients.shortPolling }
        return .milliseconds(min(max(header.suspendMilliseconds, 0), 300_000))
    }

    // MARK: Looking and answering

    /// What lies far back in the log is looked at and copied on a thread that may wait for the disk.
    private func look(_ pull: Pull) {
        let began = broker.time.now()
        let selection = Self.select(pull.queue, pull.query, in: broker, mayWait: false)
        guard selection.mustWait else { return answer(pull, selection, began: began) }
        let (broker, queue, query, request) = (broker, pull.queue, pull.query, pull.request)
        offLoop(for: pull.request, on: pull.connection) { () -> ColdAnswer in
            let selection = Self.select(queue, query, in: broker, mayWait: true)
            guard selection.status == .found else { return ColdAnswer(selection: selection) }
            var buffer = ByteBuffer()
            Self.write(selection, from: broker.store, request, into: &buffer)
            return ColdAnswer(selection: selection, frame: buffer)
        } body: { [self] cold in
            guard let cold else { return pull.connection.finishWithoutReply() }
            guard let frame = cold.frame else { return answer(pull, cold.selection, began: began) }
            count(cold.selection, pull.queue, pull.query, began: began)
            pull.connection.reply(head: { _ in }, body: frame)
        }
    }

    /// What a thread that may wait made of a pull.
    private struct ColdAnswer: Sendable {
        var selection: Selection
        /// The whole answer; nil when there is nothing to give.
        var frame: ByteBuffer?
    }

    private static func select(
        _ queue: QueueRef, _ query: PullQuery, in broker: Broker, mayWait: Bool
    ) -> Selection {
        broker.store.select(
            queue, from: query.offset, maximumCount: query.maximumCount, limits: broker.pullLimits,
            filter: query.filter, mayWait: mayWait
        )
    }

    private func answer(_ pull: Pull, _ selection: Selection, began: Timestamp) {
        let code = Self.code(of: selection, asked: pull.query.offset)
        if code == .pullNotFound, let time = pull.hold { return hold(pull, for: time) }
        count(selection, pull.queue, pull.query, began: began)
        guard code == .success else {
            if code == .pullOffsetMoved { noteMovedOffset(pull.queue, pull.query, selection) }
            return pull.connection.reply { buffer in
                buffer.writeResponse(
                    code, to: pull.request, remark: selection.status.rawValue, header: Self.header(selection), body: nil
                )
            }
        }
        let store = broker.store
        pull.connection.reply { buffer in
            Self.write(selection, from: store, pull.request, into: &buffer)
        }
    }

    /// Writes the answer with the records copied straight from the log behind its head.
    private static func write(
        _ selection: Selection,
        from store: MessageStore,
        _ request: ReplyTo,
        into buffer: inout ByteBuffer
    ) {
        let header = header(selection)
        let start = buffer.writerIndex
        buffer.reserveCapacity(minimumWritableBytes: selection.totalBytes + 512)
        buffer.writeResponseHead(
            .success, to: request, remark: selection.status.rawValue, header: header, bodyBytes: selection.totalBytes
        )
        let copied = store.copy(selection, into: &buffer)
        guard copied != selection.totalBytes else { return }
        // A segment was deleted between looking and copying: the client looks again from the same offset.
        buffer.moveWriterIndex(to: start)
        buffer.writeResponse(
            .pullRetryImmediately, to: request, remark: SelectionStatus.messageWasRemoving.rawValue, header: header,
            body: nil
        )
    }

    private static func header(_ selection: Selection) -> PullResponseHeader {
        PullResponseHeader(
            nextBeginOffset: selection.nextBegin, minimumOffset: selection.minimum, maximumOffset: selection.maximum
        )
    }

    /// - Parameter began: when the store was asked.
    private func count(_ selection: Selection, _ queue: QueueRef, _ query: PullQuery, began: Timestamp) {
        let elapsed = began.duration(to: broker.time.now())
        guard selection.status == .found else { return broker.statistics.pullMissed(elapsed: elapsed) }
        #if ESCROW_BUG_OFFSETS_EARLY
        broker.offsets.commit(
            group: query.group, topic: queue.topic, queueID: queue.queueID, offset: selection.nextBegin.rawValue)
        #endif
        broker.statistics.pullFound(messages: selection.count, elapsed: elapsed)
        broker.statistics.consumption(topic: queue.topic, group: query.group).delivered(
            queueID: queue.queueID, messages: selection.count, bytes: selection.totalBytes, elapsed: elapsed
        )
    }

    static func code(of selection: Selection, asked offset: QueueOffset) -> ResponseCode {
        switch selection.status {
        case .found: .success
        case .messageWasRemoving, .noMatchedMessage: .pullRetryImmediately
        case .noMatchedLogicQueue, .noMessageInQueue: offset == .zero ? .pullNotFound : .pullOffsetMoved
        case .offsetFoundNull, .offsetOverflowOne: .pullNotFound
        case .offsetOverflowBadly, .offsetTooSmall: .pullOffsetMoved
        }
    }

    // MARK: Holding

    private func hold(_ pull: Pull, for time: Duration) {
        pull.connection.park()
        let held = HeldPull(
            connection: pull.connection.handle, request: pull.request, queue: pull.queue, query: pull.query
        )
        broker.heldPulls.hold(held, until: broker.time.now().advanced(by: time))
        // A message that became readable between looking and holding woke nobody.
        guard broker.store.maximumOffset(of: pull.queue) > pull.query.offset else { return }
        for woken in broker.heldPulls.wakeAll(on: pull.queue) { broker.resume(woken) }
    }

    /// A held pull looks once more and is answered with whatever there is.
    func resume(_ held: HeldPull, _ connection: Connection) {
        connection.unpark()
        look(Pull(request: held.request, connection: connection, queue: held.queue, query: held.query))
    }
}
