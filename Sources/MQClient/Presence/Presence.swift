import Logging
import MQProtocol
import MQRemoting
import Synchronization

/// What this client is to the brokers: its groups, and whom they reach with their own requests.
final class Presence: Sendable {
    let groups = Mutex(PresenceTable())
    let standings = Mutex(BrokerStandings())
    let outages = Mutex(Outages())
    /// Rung when a heartbeat should not wait for its time.
    let alarm = Alarm()
    private let logger: Logger

    init(logger: Logger) {
        self.logger = logger
    }

    /// Hands a broker's request to the group that it is addressed to. On the event loop of the connection.
    func take(_ request: Frame, on connection: Connection) {
        switch request.requestCode {
        case .checkTransactionState:
            takeCheck(request, on: connection)
        case .notifyConsumerIDsChanged, .getConsumerRunningInfo, .consumeMessageDirectly:
            takeForConsumer(request.fields.string("consumerGroup") ?? "", request, on: connection)
        case .resetConsumerClientOffset, .getConsumerStatusFromClient:
            takeForConsumer(request.fields.string("group") ?? "", request, on: connection)
        default:
            RemotingClient.refuse(request, on: connection)
        }
    }

    private func takeForConsumer(_ group: String, _ request: Frame, on connection: Connection) {
        guard let consumer = groups.withLock({ $0.consumers[group] }) else {
            let remark = "The Consumer Group <\(group)> not exist in this consumer"
            return connection.reply(to: request.replyTo, .systemError, remark: remark)
        }
        consumer.onRequest(request, connection)
    }

    /// A check-back is never answered as such: the verdict is a request of its own.
    private func takeCheck(_ request: Frame, on connection: Connection) {
        if !request.isOneWay { connection.finishWithoutReply() }
        do {
            let header = try CheckTransactionStateHeader(request.fields)
            var body = request.body
            let message = try StoredMessage(reading: &body)
            let group = message.properties[PropertyName.producerGroup] ?? ""
            guard let onCheck = groups.withLock({ $0.producers[group]?.onCheck }) else {
                logger.debug("a check-back for a group of somebody else", metadata: ["group": "\(group)"])
                return
            }
            onCheck(CheckRequest(header: header, message: message, connection: connection.handle))
        } catch {
            logger.warning(
                "a check-back that cannot be read",
                metadata: ["broker": "\(connection.remoteAddress)", "error": "\(error)"])
        }
    }
}
