import MQProtocol
import MQRemoting
import MQStore
import NIOCore

/// Moving a group in time, and asking its clients how far they are (broker.md 10.2).
extension ForwardedRequests {
    private static let resetTimeout = Duration.seconds(5)
    private static let toTheEnd: Int64 = -1

    /// 222. The table of offsets is not touched: the clients move, and commit where they are then.
    static func resetOffset(_ context: RequestContext) throws(RequestError) -> Outcome {
        let header = try context.header(ResetOffsetHeader.self)
        let broker = context.broker
        guard let topic = broker.topics.find(header.topic) else {
            throw RequestError(
                .systemError, "[reset-offset] reset offset failed, no topic in this broker. topic=\(header.topic)"
            )
        }
        let members = broker.clients.consumers(of: header.group)
        let usesList = context.frame.language == .cpp
        let queueCount = topic.config.writeQueueNums
        return context.onReadThread(isQuery: false) { broker in
            let offsets = try target(header, queueCount: queueCount, broker)
            guard !members.isEmpty else {
                throw RequestError(
                    .consumerNotOnline,
                    "Consumer not online, so can not reset offset, Group: \(header.group) Topic: \(header.topic) "
                        + "Timestamp: \(header.timestamp.milliseconds)"
                )
            }
            try announce(offsets, header, to: members, asList: usesList)
            return Reply(body: offsets.encode())
        }
    }

    private static func target(
        _ header: ResetOffsetHeader, queueCount: Int32, _ broker: Broker
    ) throws(RequestError) -> ResetOffsetBody {
        let brokerName = broker.settings.configuration.brokerName
        let stored = broker.offsets.offsets(group: header.group, topic: header.topic)
        var entries: [ResetOffsetBody.Entry] = []
        for id in 0..<max(0, queueCount) {
            guard let current = stored[id], current >= 0 else {
                throw RequestError(.systemError, "THe consumer group <\(header.group)> not exist")
            }
            let wanted =
                header.timestamp.milliseconds == toTheEnd
                ? broker.maximumOffset(header.topic, id)
                : broker.searchOffset(header.topic, id, at: header.timestamp)
            let offset = header.isForced || wanted < current ? wanted : current
            let queue = MessageQueueKey(topic: header.topic, brokerName: brokerName, queueID: id)
            entries.append(ResetOffsetBody.Entry(queue: queue, offset: QueueOffset(rawValue: offset)))
        }
        return ResetOffsetBody(entries: entries)
    }

    private static func announce(
        _ offsets: ResetOffsetBody, _ header: ResetOffsetHeader, to members: [ClientTable.Registry.Member], asList: Bool
    ) throws(RequestError) {
        if let old = members.first(where: { $0.version < ProtocolVersion.resetOffset }) {
            throw RequestError(.systemError, "the client does not support this feature. version=\(old.version)")
        }
        var notice = header
        // As RocketMQ does: the target is already decided here.
        notice.isForced = false
        let body = asList ? JSONWriter.compact(offsets.listJSON) : offsets.encode()
        for member in members {
            member.connection.oneWay(.resetConsumerClientOffset, header: notice, body: body)
        }
    }

    /// 223. Clients that do not answer in time are left out.
    static func consumerStatus(_ context: RequestContext) throws(RequestError) -> Outcome {
        let header = try context.header(ConsumerStatusHeader.self)
        let members = context.broker.clients.consumers(of: header.group).filter { member in
            header.clientID.map { $0.isEmpty || $0 == member.clientID } ?? true
        }
        guard !members.isEmpty else {
            throw RequestError(.systemError, "No Any Consumer online in the consumer group: [\(header.group)]")
        }
        if let old = members.first(where: { $0.version < ProtocolVersion.resetOffset }) {
            throw RequestError(.systemError, "the client does not support this feature. version=\(old.version)")
        }
        return .later(
            context.connection.eventLoop.makeFutureWithTask {
                let status = await ask(members, header)
                return Reply(body: ConsumerStatusBody(clients: status).encode())
            })
    }

    private static func ask(
        _ members: [ClientTable.Registry.Member], _ header: ConsumerStatusHeader
    ) async -> [String: [ResetOffsetBody.Entry]] {
        await withTaskGroup(of: (clientID: String, queues: [ResetOffsetBody.Entry])?.self) { tasks in
            for member in members {
                tasks.addTask {
                    let answer = try? await member.connection.request(
                        .getConsumerStatusFromClient, header: header, timeout: resetTimeout
                    )
                    guard let answer, answer.responseCode == .success,
                        let status = try? ConsumerStatusBody.decode(answer.body)
                    else { return nil }
                    return (member.clientID, status.queues)
                }
            }
            return await tasks.reduce(into: [:]) { result, status in
                if let status { result[status.clientID] = status.queues }
            }
        }
    }
}
