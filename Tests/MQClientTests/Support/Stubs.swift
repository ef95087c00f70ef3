import MQClient
import MQProtocol
import NIOCore

/// Answers of a name server.
enum Stubs {
    /// Knows `topics`, all at one broker, and lists `masters` as brokers of the cluster.
    static func nameServer(
        topics: [String], broker address: String, masters: [String] = []
    ) -> @Sendable (Frame) -> StubServer.Answer {
        let listed = Dictionary(
            uniqueKeysWithValues: masters.enumerated().map { ("m\($0.offset)", $0.element) })
        return nameServer(topics: topics, brokers: { ["a": address] }, listed: { listed })
    }

    /// Knows `topics` at all `brokers`, by name, with two queues each.
    static func nameServer(
        topics: [String], brokers: @escaping @Sendable () -> [String: String],
        listed: @escaping @Sendable () -> [String: String] = { [:] }
    ) -> @Sendable (Frame) -> StubServer.Answer {
        { request in
            switch request.requestCode {
            case .getRouteInfoByTopic:
                guard topics.contains(request.fields.string("topic") ?? "") else {
                    return StubServer.Answer(code: .topicNotExist, remark: "No topic route info")
                }
                return StubServer.Answer(body: route(brokers()).encodeStandard())
            case .getAllTopicListFromNameServer:
                return StubServer.Answer(body: TopicList(topicList: topics).encode())
            case .getBrokerClusterInfo:
                return StubServer.Answer(body: cluster(masters: listed()).encode())
            default:
                return StubServer.Answer(code: .requestCodeNotSupported)
            }
        }
    }

    private static func route(_ brokers: [String: String]) -> TopicRouteData {
        let names = brokers.keys.sorted()
        return TopicRouteData(
            queueDatas: names.map { QueueData(brokerName: $0, readQueueNums: 2, writeQueueNums: 2, perm: 6) },
            brokerDatas: names.map { name in
                BrokerData(cluster: "C", brokerName: name, brokerAddrs: brokers[name].map { [0: $0] } ?? [:])
            })
    }

    private static func cluster(masters: [String: String]) -> ClusterInfo {
        ClusterInfo(
            brokerAddrTable: Dictionary(
                uniqueKeysWithValues: masters.map { name, address in
                    (name, BrokerData(cluster: "C", brokerName: name, brokerAddrs: [0: address]))
                }),
            clusterAddrTable: ["C": masters.keys.sorted()])
    }

    /// Stores everything at queue offset 7, and announces itself as one of ours.
    static let broker: @Sendable (Frame) -> StubServer.Answer = { request in
        request.requestCode == .heartbeat ? announcement : stockBroker(request)
    }

    /// Stores everything at queue offset 7.
    static let stockBroker: @Sendable (Frame) -> StubServer.Answer = { request in
        guard request.requestCode != .heartbeat else { return StubServer.Answer() }
        let id = "7F00000100002A9F0000000000000010"
        return StubServer.Answer(fields: [("msgId", id), ("queueId", "1"), ("queueOffset", "7")])
    }

    static let announcement = StubServer.Answer(fields: [(ProtocolExtension.brokerAnnouncement.name, "1")])

    /// An address that nobody listens at.
    static func deadAddress() async throws -> String {
        try await StubServer.with(answer: { _ in StubServer.Answer() }) { $0.address }
    }

    static func client<Value>(
        of nameServers: String, _ body: (MQClient) async throws -> Value
    ) async throws -> Value {
        let configuration = MQClientConfiguration(nameServers: try NameServerAddresses(nameServers))
        return try await MQClient.with(configuration, body)
    }
}
