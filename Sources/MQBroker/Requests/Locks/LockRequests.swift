import MQProtocol

/// The locks of orderly consumers (broker.md 9).
enum LockRequests {
    /// The most queues of one request.
    private static let maximumQueues = 65_536

    /// 41. Answers with the queues that are the client's now.
    static func lock(_ context: RequestContext) throws(RequestError) -> Outcome {
        let request = try context.body(LockBatchBody.decode)
        let locked = context.broker.locks.lock(
            try queues(request), group: request.consumerGroup, clientID: request.clientID, now: context.now
        )
        let granted = Set(locked)
        let body = LockBatchAnswer(queues: request.queues.filter { granted.contains(lockedQueue($0)) })
        return .reply(Reply(body: body.encode()))
    }

    /// 42
    static func unlock(_ context: RequestContext) throws(RequestError) -> Outcome {
        let request = try context.body(LockBatchBody.decode)
        context.broker.locks.unlock(try queues(request), group: request.consumerGroup, clientID: request.clientID)
        return .success
    }

    private static func queues(_ request: LockBatchBody) throws(RequestError) -> [LockedQueue] {
        guard request.queues.count <= maximumQueues else {
            throw RequestError(.systemError, "more than \(maximumQueues) queues in one request")
        }
        return request.queues.map(lockedQueue)
    }

    private static func lockedQueue(_ queue: MessageQueueKey) -> LockedQueue {
        LockedQueue(topic: queue.topic, queueID: queue.queueID)
    }
}
