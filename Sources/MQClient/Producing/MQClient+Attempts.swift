import MQProtocol
import MQRemoting
import NIOCore
import Synchronization

/// A stored message: where it went, and what the broker answered.
struct SendAnswer {
    var receipt: SendReceipt
    var answer: Frame
}

extension MQClient {
    /// How long a send may take is measured on the clock of the event loops, which also end the single requests.
    func sendDeadline() -> NIODeadline {
        .now() + TimeAmount(configuration.sendTimeout)
    }

    /// Sends to some queue, and to other brokers after failures.
    func send(_ outgoing: OutgoingSend) async throws(MQClientError) -> SendAnswer {
        var attempts = SendAttempts(limit: configuration.sendAttempts, deadline: sendDeadline())
        while true {
            let queue = nextQueue(try await publishQueues(outgoing.topic), avoiding: attempts.avoided)
            do {
                return try await send(outgoing, to: queue, by: attempts.deadline)
            } catch {
                guard attempts.failed(error, at: queue.brokerName, now: .now()) else { throw attempts.error }
            }
        }
    }

    /// Sends to one queue, once. A broker that cannot be reached is looked for: when it has moved, it is tried there,
    /// as nothing was sent yet.
    func send(
        _ outgoing: OutgoingSend, to queue: MessageQueue, by deadline: NIODeadline
    ) async throws(MQClientError) -> SendAnswer {
        let address = try await master(ofBroker: queue.brokerName, in: queue.topic)
        do {
            return try await send(outgoing, to: queue, at: address, by: deadline)
        } catch {
            guard error.code == .brokerUnreachable else { throw error }
            let moved = await movedMaster(ofBroker: queue.brokerName, in: queue.topic)
            guard error.isNotSent, let moved, moved != address else { throw error }
            return try await send(outgoing, to: queue, at: moved, by: deadline)
        }
    }

    func sendOneWay(_ outgoing: OutgoingSend, to queue: MessageQueue) async throws(MQClientError) -> String {
        let address = try await master(ofBroker: queue.brokerName, in: queue.topic)
        do {
            try await sendOneWay(outgoing, to: queue, at: address)
        } catch {
            guard error.code == .brokerUnreachable else { throw error }
            let moved = await movedMaster(ofBroker: queue.brokerName, in: queue.topic)
            guard error.isNotSent, let moved, moved != address else { throw error }
            try await sendOneWay(outgoing, to: queue, at: moved)
        }
        return outgoing.messageID
    }

    /// Takes queues in turn, those of the broker that just failed only when there is no other.
    func nextQueue(_ queues: [MessageQueue], avoiding broker: String?) -> MessageQueue {
        var candidates = queues
        if let broker {
            candidates.removeAll { $0.brokerName == broker }
            if candidates.isEmpty { candidates = queues }
        }
        let turn = state.withLock { state in
            state.rotation = (state.rotation + 1) % Int(Int32.max)
            return state.rotation
        }
        return candidates[turn % candidates.count]
    }

    private func movedMaster(ofBroker name: String, in topic: String) async -> String? {
        await attempt("route of \(topic)") { () async throws(MQClientError) in try await self.learnRoute(topic) }
        return state.withLock { $0.routes.broker(named: name)?.master }
    }

    private func send(
        _ outgoing: OutgoingSend, to queue: MessageQueue, at address: String, by deadline: NIODeadline
    ) async throws(MQClientError) -> SendAnswer {
        try await checkKind(of: address, for: outgoing)
        let header = outgoing.header(queue: queue, configuration: configuration)
        let answer = try await request(
            to: address, outgoing.code, header: header, body: outgoing.body, deadline: deadline)
        guard let status = SendReceipt.Status(answer.responseCode) else {
            throw MQClientError(refusal: answer, address: address)
        }
        let receipt = SendReceipt(
            status: status,
            messageID: outgoing.messageID,
            offsetMessageID: answer.fields.string("msgId") ?? "",
            queue: MessageQueue(
                topic: queue.topic, brokerName: queue.brokerName,
                queueID: answer.fields.int32("queueId") ?? queue.queueID),
            queueOffset: answer.fields.int64("queueOffset") ?? -1,
            brokerAddress: address
        )
        return SendAnswer(receipt: receipt, answer: answer)
    }

    private func sendOneWay(
        _ outgoing: OutgoingSend, to queue: MessageQueue, at address: String
    ) async throws(MQClientError) {
        try await checkKind(of: address, for: outgoing)
        let header = outgoing.header(queue: queue, configuration: configuration)
        try await oneWay(to: address, outgoing.code, header: header, body: outgoing.body)
    }
}

extension SendReceipt.Status {
    /// Nil for an answer that means the message was not stored.
    init?(_ code: ResponseCode) {
        switch code {
        case .success: self = .stored
        case .flushDiskTimeout: self = .flushTimedOut
        case .flushSlaveTimeout: self = .replicationTimedOut
        case .slaveNotAvailable: self = .slaveUnavailable
        default: return nil
        }
    }
}
