/// Where a topic lives.
public struct TopicRoute: Sendable, Hashable {
    /// One name in a cluster: a master and its slaves.
    public struct Broker: Sendable, Hashable {
        public var cluster: String
        public var name: String
        /// `host:port` by broker id; 0 is the master.
        public var addresses: [Int64: String]

        public init(cluster: String, name: String, addresses: [Int64: String]) {
            self.cluster = cluster
            self.name = name
            self.addresses = addresses
        }

        public var master: String? {
            addresses[0]
        }

        /// The master, or any slave when the master is away.
        public var readable: String? {
            master ?? addresses.min { $0.key < $1.key }?.value
        }
    }

    /// A broker's queues of the topic.
    public struct Queues: Sendable, Hashable {
        public var brokerName: String
        public var readQueues: Int32
        public var writeQueues: Int32
        public var permission: TopicPermission
        /// Bit 0: unit topic. Bit 1: has a unit subscription.
        public var systemFlag: Int32

        public init(
            brokerName: String, readQueues: Int32, writeQueues: Int32, permission: TopicPermission,
            systemFlag: Int32 = 0
        ) {
            self.brokerName = brokerName
            self.readQueues = readQueues
            self.writeQueues = writeQueues
            self.permission = permission
            self.systemFlag = systemFlag
        }
    }

    public var brokers: [Broker]
    public var queues: [Queues]
    /// `broker:count` items joined with `;`, on ordered topics whose name server hands it out.
    public var orderConfiguration: String?

    public init(brokers: [Broker], queues: [Queues], orderConfiguration: String? = nil) {
        self.brokers = brokers
        self.queues = queues
        self.orderConfiguration = orderConfiguration
    }

    public func broker(named name: String) -> Broker? {
        brokers.first { $0.name == name }
    }

    /// The queues a producer may choose from: those of writable brokers with a master, brokers in order of name.
    public func publishQueues(topic: String) -> [MessageQueue] {
        if let orderConfiguration, !orderConfiguration.isEmpty {
            return Self.orderedQueues(orderConfiguration, topic: topic)
        }
        return queues.sorted { $0.brokerName < $1.brokerName }
            .filter { $0.permission.contains(.write) && broker(named: $0.brokerName)?.master != nil }
            .flatMap { Self.queues(topic: topic, brokerName: $0.brokerName, count: $0.writeQueues) }
    }

    /// The queues a consumer reads.
    public func subscribeQueues(topic: String) -> [MessageQueue] {
        queues.sorted { $0.brokerName < $1.brokerName }
            .filter { $0.permission.contains(.read) }
            .flatMap { Self.queues(topic: topic, brokerName: $0.brokerName, count: $0.readQueues) }
    }

    private static func orderedQueues(_ configuration: String, topic: String) -> [MessageQueue] {
        configuration.split(separator: ";").flatMap { item -> [MessageQueue] in
            let parts = item.split(separator: ":")
            guard parts.count == 2, let count = Int32(parts[1]) else { return [] }
            return queues(topic: topic, brokerName: String(parts[0]), count: count)
        }
    }

    /// The count comes from the wire: no broker has more queues than fit an unsigned 16-bit number.
    private static func queues(topic: String, brokerName: String, count: Int32) -> [MessageQueue] {
        let bounded = max(0, min(count, Int32(UInt16.max)))
        return (0..<bounded).map { MessageQueue(topic: topic, brokerName: brokerName, queueID: $0) }
    }
}

/// What may be done with a topic.
public struct TopicPermission: OptionSet, Sendable, Hashable, CustomStringConvertible {
    public let rawValue: Int32

    public init(rawValue: Int32) {
        self.rawValue = rawValue
    }

    /// Topics created automatically may take their settings from this one.
    public static let inherit = TopicPermission(rawValue: 1)
    public static let write = TopicPermission(rawValue: 2)
    public static let read = TopicPermission(rawValue: 4)

    /// As RocketMQ prints it: `RW-`.
    public var description: String {
        (contains(.read) ? "R" : "-") + (contains(.write) ? "W" : "-") + (contains(.inherit) ? "X" : "-")
    }
}
