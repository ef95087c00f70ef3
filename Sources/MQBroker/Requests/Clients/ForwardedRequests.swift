import MQProtocol
import MQRemoting
import MQStore
import NIOCore
import NIOPosix

/// Requests that the broker passes on to one client, and whose answers it passes back.
enum ForwardedRequests {
    private static let timeout = Duration.seconds(10)

    /// 307
    static func runningInfo(_ context: RequestContext) throws(RequestError) -> Outcome {
        let header = try context.header(ConsumerRunningInfoHeader.self)
        let member = try member(header.clientID, of: header.consumerGroup, context)
        return forward(context, to: member, group: header.consumerGroup, header: context.frame.fields)
    }

    /// 309. The message goes with the request: the broker reads it at the place that its id names.
    static func consumeDirectly(_ context: RequestContext) throws(RequestError) -> Outcome {
        var header = try context.header(ConsumeDirectlyHeader.self)
        let member = try member(header.clientID ?? "", of: header.consumerGroup, context)
        header.brokerName = context.broker.settings.configuration.brokerName
        guard let id = header.messageID.flatMap({ OffsetMessageID($0) }) else {
            throw RequestError(.systemError, "msgId must be the id that a broker gave to the message")
        }
        let broker = context.broker
        let eventLoop = context.connection.eventLoop
        let message = broker.readThreads.runIfActive(eventLoop: eventLoop) { broker.store.record(at: id.offset) }
        let target = Target(frame: context.frame, member: member, group: header.consumerGroup)
        let forwarded = header
        return .later(
            message.flatMap { record in
                guard let record else {
                    let missing = RequestError(
                        .systemError, "can not find message by the offset, \(id.offset.rawValue)")
                    return eventLoop.makeFailedFuture(missing)
                }
                return send(target, header: forwarded, body: record, on: eventLoop)
            })
    }

    private struct Target: Sendable {
        var frame: Frame
        var member: ClientTable.Registry.Member
        var group: String
    }

    private static func member(
        _ clientID: String, of group: String, _ context: RequestContext
    ) throws(RequestError) -> ClientTable.Registry.Member {
        guard let member = context.broker.clients.consumer(clientID: clientID, group: group) else {
            throw RequestError(.systemError, "The Consumer <\(group)> <\(clientID)> not online")
        }
        guard member.version >= ProtocolVersion.consumerRunningInfo else {
            throw RequestError(
                .systemError,
                "The Consumer <\(group)> <\(clientID)> Version <\(member.version)> too low to finish, please upgrade it"
            )
        }
        return member
    }

    private static func forward(
        _ context: RequestContext, to member: ClientTable.Registry.Member, group: String,
        header: some CommandHeader
    ) -> Outcome {
        let target = Target(frame: context.frame, member: member, group: group)
        return .later(send(target, header: header, body: context.frame.body, on: context.connection.eventLoop))
    }

    private static func send(
        _ target: Target, header: some CommandHeader, body: ByteBuffer, on eventLoop: any EventLoop
    ) -> EventLoopFuture<Reply> {
        eventLoop.makeFutureWithTask {
            do throws(RemotingError) {
                let answer = try await target.member.connection.request(
                    target.frame.requestCode, header: header, body: body.readableBytes > 0 ? body : nil,
                    timeout: timeout
                )
                return Reply(code: answer.responseCode, remark: answer.remark, header: answer.fields, body: answer.body)
            } catch {
                let who = "consumer <\(target.group)> <\(target.member.clientID)>"
                if error.code == .requestTimedOut {
                    throw RequestError(.consumeMessageTimeout, "\(who) Timeout: \(error.message)")
                }
                throw RequestError(.systemError, "invoke \(who) Exception: \(error.message)")
            }
        }
    }
}
