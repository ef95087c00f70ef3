import MQProtocol

/// Who serves which topic: brokers, their clusters, their topics, and when each was last heard of.
///
/// Pure: requests and time go in, answers come out. A broker name is known as long as one address of it is; its topics
/// go with its last address. Topics that a broker stops listing stay until they are deleted explicitly, as with stock
/// name servers.
struct RouteTable {
    struct Broker {
        var cluster: String
        /// By broker id; 0 is the master.
        var addresses: [Int64: String]
    }

    struct Live {
        var brokerName: String
        var lastUpdate: Timestamp
        var dataVersion: DataVersion
        var connection: UInt64
        var haAddress: String
    }

    struct Queues: Equatable {
        var readQueues: Int32
        var writeQueues: Int32
        /// Bits: 4 read, 2 write, 1 may serve as a template for new topics.
        var permission: Int32
        /// Bit 0: unit topic; bit 1: subscribed by units.
        var systemFlag: Int32
    }

    static let readPermission: Int32 = 4
    static let writePermission: Int32 = 2

    /// A broker that is silent for longer is removed.
    let brokerTimeout: Duration
    /// Topic → broker name → queues.
    private(set) var topics: [String: [String: Queues]] = [:]
    private(set) var brokers: [String: Broker] = [:]
    /// Cluster → broker names.
    private(set) var clusters: [String: Set<String>] = [:]
    /// By broker address.
    private(set) var live: [String: Live] = [:]
    /// By broker address.
    private(set) var filterServers: [String: [String]] = [:]

    /// - Parameter brokerTimeout: default 120 s.
    init(brokerTimeout: Duration = .seconds(120)) {
        self.brokerTimeout = brokerTimeout
    }

    // MARK: Brokers come

    mutating func register(_ registration: BrokerRegistration, now: Timestamp) -> RegistrationAnswer {
        let isNew = place(registration)
        let isChanged = live[registration.address]?.dataVersion != registration.dataVersion
        if registration.brokerID == 0, isNew || isChanged {
            accept(registration.topics, of: registration.brokerName)
        }
        live[registration.address] = Live(
            brokerName: registration.brokerName,
            lastUpdate: now,
            dataVersion: registration.dataVersion,
            connection: registration.connection,
            haAddress: registration.haAddress
        )
        filterServers[registration.address] = registration.filterServers.isEmpty ? nil : registration.filterServers
        var answer = RegistrationAnswer(isNew: isNew)
        if registration.brokerID != 0, let master = brokers[registration.brokerName]?.addresses[0],
            let state = live[master]
        {
            answer.masterAddress = master
            answer.masterHAAddress = state.haAddress
        }
        return answer
    }

    /// - Returns: true when the broker's name or its id under that name is new.
    private mutating func place(_ registration: BrokerRegistration) -> Bool {
        var broker = brokers[registration.brokerName] ?? Broker(cluster: registration.clusterName, addresses: [:])
        if broker.cluster != registration.clusterName {
            leaveCluster(broker.cluster, brokerName: registration.brokerName)
            broker.cluster = registration.clusterName
        }
        clusters[registration.clusterName, default: []].insert(registration.brokerName)
        broker.addresses = broker.addresses.filter {
            $0.value != registration.address || $0.key == registration.brokerID
        }
        let previous = broker.addresses.updateValue(registration.address, forKey: registration.brokerID)
        brokers[registration.brokerName] = broker
        return previous == nil
    }

    private mutating func accept(_ configurations: [TopicConfig], of brokerName: String) {
        for topic in configurations {
            topics[topic.topicName, default: [:]][brokerName] = Queues(
                readQueues: topic.readQueueNums,
                writeQueues: topic.writeQueueNums,
                permission: topic.perm,
                systemFlag: topic.topicSysFlag
            )
        }
    }

    /// Answers a broker that asks whether it has to register again. An unchanged version counts as a sign of life.
    mutating func compare(
        _ version: DataVersion,
        address: String,
        now: Timestamp
    ) -> (isChanged: Bool, known: DataVersion?) {
        guard let known = live[address]?.dataVersion else { return (true, nil) }
        if known == version {
            live[address]?.lastUpdate = now
        }
        return (known != version, known)
    }

    // MARK: Brokers go

    /// Removes a broker that says farewell. An address that another broker took over by now stays.
    mutating func unregister(clusterName: String, brokerName: String, address: String, brokerID: Int64) {
        guard live[address]?.brokerName == brokerName || brokers[brokerName]?.addresses[brokerID] == address else {
            return
        }
        remove(address: address)
        withdraw(address: address, from: brokerName)
    }

    /// Removes brokers that were silent for too long.
    mutating func expire(now: Timestamp) -> [RemovedBroker] {
        let silent = live.filter { $0.value.lastUpdate.duration(to: now) > brokerTimeout }
        return remove(Array(silent.keys))
    }

    mutating func connectionLost(_ connection: UInt64) -> [RemovedBroker] {
        remove(live.filter { $0.value.connection == connection }.map(\.key))
    }

    private mutating func remove(_ addresses: [String]) -> [RemovedBroker] {
        addresses.sorted().compactMap { remove(address: $0) }
    }

    @discardableResult
    private mutating func remove(address: String) -> RemovedBroker? {
        filterServers[address] = nil
        guard let state = live.removeValue(forKey: address) else { return nil }
        withdraw(address: address, from: state.brokerName)
        return RemovedBroker(address: address, brokerName: state.brokerName, connection: state.connection)
    }

    private mutating func withdraw(address: String, from brokerName: String) {
        guard var broker = brokers[brokerName] else { return }
        broker.addresses = broker.addresses.filter { $0.value != address }
        brokers[brokerName] = broker.addresses.isEmpty ? nil : broker
        guard broker.addresses.isEmpty else { return }
        leaveCluster(broker.cluster, brokerName: brokerName)
        for topic in topics.keys {
            dropQueues(of: topic) { $0 == brokerName }
        }
    }

    private mutating func leaveCluster(_ cluster: String, brokerName: String) {
        clusters[cluster]?.remove(brokerName)
        if clusters[cluster]?.isEmpty == true {
            clusters[cluster] = nil
        }
    }

    private mutating func dropQueues(of topic: String, where isDropped: (String) -> Bool) {
        guard let queues = topics[topic], queues.keys.contains(where: isDropped) else { return }
        let kept = queues.filter { !isDropped($0.key) }
        topics[topic] = kept.isEmpty ? nil : kept
    }

    // MARK: What administrators change

    /// Takes the write permission from every topic of a broker, until it registers a changed version of its topics.
    /// - Returns: the number of its topics.
    mutating func wipeWritePermission(ofBroker brokerName: String) -> Int {
        changePermission(ofBroker: brokerName) { $0 & ~Self.writePermission }
    }

    /// Lets every topic of a broker be read and written, whatever its permission was.
    /// - Returns: the number of its topics.
    mutating func addWritePermission(ofBroker brokerName: String) -> Int {
        changePermission(ofBroker: brokerName) { _ in Self.readPermission | Self.writePermission }
    }

    private mutating func changePermission(ofBroker brokerName: String, _ change: (Int32) -> Int32) -> Int {
        var count = 0
        for topic in topics.keys {
            guard let queues = topics[topic]?[brokerName] else { continue }
            topics[topic]?[brokerName]?.permission = change(queues.permission)
            count += 1
        }
        return count
    }

    /// - Parameter cluster: `nil` means every cluster.
    mutating func deleteTopic(_ topic: String, cluster: String?) {
        guard let cluster else {
            topics[topic] = nil
            return
        }
        let names = clusters[cluster] ?? []
        dropQueues(of: topic) { names.contains($0) }
    }
}
