import MQProtocol

/// A counter of request 315 by RocketMQ's name and key (broker.md 18.1).
enum CounterName: Equatable {
    case stored(topic: String, Measure, queueID: Int32?)
    case got(topic: String, group: String, Measure, queueID: Int32?)
    case latency(topic: String, group: String)
    case sentBack(topic: String, group: String)
    case brokerStored(cluster: String)
    case brokerGot(cluster: String)

    /// `nil` when there is no such counter or the key is not of its form.
    init?(name: String, key: String) {
        let parts = key.split(separator: "@", omittingEmptySubsequences: false).map(String.init)
        switch name {
        case "TOPIC_PUT_NUMS" where parts.count == 1: self = .stored(topic: key, .messages, queueID: nil)
        case "TOPIC_PUT_SIZE" where parts.count == 1: self = .stored(topic: key, .bytes, queueID: nil)
        case "BROKER_PUT_NUMS": self = .brokerStored(cluster: key)
        case "BROKER_GET_NUMS": self = .brokerGot(cluster: key)
        default: self.init(name: name, parts: parts)
        }
    }

    private init?(name: String, parts: [String]) {
        switch (name, parts.count) {
        case ("GROUP_GET_NUMS", 2): self = .got(topic: parts[0], group: parts[1], .messages, queueID: nil)
        case ("GROUP_GET_SIZE", 2): self = .got(topic: parts[0], group: parts[1], .bytes, queueID: nil)
        case ("SNDBCK_PUT_NUMS", 2): self = .sentBack(topic: parts[0], group: parts[1])
        case ("GROUP_GET_LATENCY", 2): self = .latency(topic: parts[0], group: parts[1])
        // Latency is counted per topic and group; the queue in RocketMQ's key is accepted.
        case ("GROUP_GET_LATENCY", 3): self = .latency(topic: parts[1], group: parts[2])
        default: self.init(queueCounter: name, parts: parts)
        }
    }

    private init?(queueCounter name: String, parts: [String]) {
        guard parts.count >= 2, let queueID = Int32(parts[1]) else { return nil }
        switch (name, parts.count) {
        case ("QUEUE_PUT_NUMS", 2): self = .stored(topic: parts[0], .messages, queueID: queueID)
        case ("QUEUE_PUT_SIZE", 2): self = .stored(topic: parts[0], .bytes, queueID: queueID)
        case ("QUEUE_GET_NUMS", 3): self = .got(topic: parts[0], group: parts[2], .messages, queueID: queueID)
        case ("QUEUE_GET_SIZE", 3): self = .got(topic: parts[0], group: parts[2], .bytes, queueID: queueID)
        default: return nil
        }
    }

    /// `nil` when nothing was counted under the key yet.
    func windows(of broker: Broker) -> SampleWindows? {
        let statistics = broker.statistics
        switch self {
        case .stored(let topic, let measure, let queueID):
            return broker.topics.find(topic)?.statistics.windows(of: measure, queueID: queueID)
        case .got(let topic, let group, let measure, nil):
            let counters = statistics.existingConsumption(topic: topic, group: group)
            return counters?.windows(of: measure == .messages ? .messages : .bytes)
        case .got(let topic, let group, let measure, let queueID?):
            return statistics.existingConsumption(topic: topic, group: group)?.windows(of: measure, queueID: queueID)
        case .latency(let topic, let group):
            return statistics.existingConsumption(topic: topic, group: group)?.windows(of: .latency)
        case .sentBack(let topic, let group):
            return statistics.existingConsumption(topic: topic, group: group)?.windows(of: .sentBack)
        case .brokerStored(let cluster):
            return cluster == broker.settings.configuration.clusterName ? statistics.putWindows : nil
        case .brokerGot(let cluster):
            return cluster == broker.settings.configuration.clusterName ? statistics.getWindows : nil
        }
    }
}
