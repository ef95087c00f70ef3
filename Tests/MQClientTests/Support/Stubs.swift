import MQClient
import MQProtocol
import NIOCore

/// Answers of a name server.
enum Stubs {
    /// Knows `topics`, all at one broker, and lists `masters` as brokers of the cluster.
    static func nameServer(
        topics: [String], broker address: String, masters: [String] = []
    ) -> @Sendable (Frame) -> StubServer.Answer {
        { request in
            switch request.requestCode {
            case .getRouteInfoByTopic:
                guard topics.contains(request.fields.string("topic") ?? "") else {
                    return StubServer.Answer(code: .topicNotExist, remark: "No topic route info")
                }
                let route = TopicRouteData(
                    queueDatas: [QueueData(brokerName: "a", readQueueNums: 2, writeQueueNums: 2, perm: 6)],
                    brokerDatas: [BrokerData(cluster: "C", brokerName: "a", brokerAddrs: [0: address])])
                return StubServer.Answer(body: route.encodeStandard())
            case .getAllTopicListFromNameServer:
                return StubServer.Answer(body: TopicList(topicList: topics).encode())
            case .getBrokerClusterInfo:
                return StubServer.Answer(body: cluster(masters: masters).encode())
            default:
                return StubServer.Answer(code: .requestCodeNotSupported)
            }
        }
    }

    private static func cluster(masters: [String]) -> ClusterInfo {
        let brokers = masters.enumerated().map { index, address in
            BrokerData(cluster: "C", brokerName: "m\(index)", brokerAddrs: [0: address])
        }
        return ClusterInfo(
            brokerAddrTable: Dictionary(uniqueKeysWithValues: brokers.map { ($0.brokerName, $0) }),
            clusterAddrTable: ["C": brokers.map(\.brokerName)])
    }

    /// Stores everything at queue offset 7.
    static let broker: @Sendable (Frame) -> StubServer.Answer = { request in
        let id = "7F00000100002A9F0000000000000010"
        return StubServer.Answer(fields: [("msgId", id), ("queueId", "1"), ("queueOffset", "7")])
    }

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
