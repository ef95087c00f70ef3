import MQProtocol
import MQRemoting

/// A producer group of this client, as heartbeats announce it.
struct ProducerPresence: Sendable {
    var group: String
    /// Receives the check-backs of the group, on the event loop of the broker's connection: it hands over and never
    /// blocks. Nil for a group that sends no half messages.
    var onCheck: (@Sendable (CheckRequest) -> Void)?
}

/// A broker asks for the verdict on a half message.
struct CheckRequest: Sendable {
    var header: CheckTransactionStateHeader
    /// The half message, with its real topic and queue.
    var message: StoredMessage
    /// Where the verdict goes.
    var connection: ConnectionHandle
}

/// A consumer of this client, as heartbeats announce it.
struct ConsumerPresence: Sendable {
    enum Kind: String, Sendable {
        case push = "CONSUME_PASSIVELY"
        case pull = "CONSUME_ACTIVELY"
    }

    enum Model: String, Sendable {
        case clustering = "CLUSTERING"
        case broadcasting = "BROADCASTING"
    }

    /// Where a group without stored offsets starts.
    enum Start: String, Sendable {
        case last = "CONSUME_FROM_LAST_OFFSET"
        case first = "CONSUME_FROM_FIRST_OFFSET"
        case timestamp = "CONSUME_FROM_TIMESTAMP"
    }

    var group: String
    var kind = Kind.push
    var model = Model.clustering
    var start = Start.last
    /// Asked anew for each heartbeat.
    var subscriptions: @Sendable () -> [SubscriptionData]
    /// Receives the brokers' requests addressed to the group (40, 220, 221, 307, 309), on the event loop of their
    /// connection: it hands over and never blocks. Two-way ones it answers, now or later.
    var onRequest: @Sendable (Frame, Connection) -> Void

    var heartbeatData: ConsumerData {
        ConsumerData(
            groupName: group, consumeType: kind.rawValue, messageModel: model.rawValue,
            consumeFromWhere: start.rawValue, subscriptions: subscriptions())
    }
}
