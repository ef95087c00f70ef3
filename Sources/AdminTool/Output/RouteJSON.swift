import Foundation
import MQClient

/// A route as JSON, with RocketMQ's names.
enum RouteJSON {
    private struct Route: Encodable {
        var brokerDatas: [Broker]
        var filterServerTable: [String: [String]] = [:]
        var orderTopicConf: String?
        var queueDatas: [Queues]
    }

    private struct Broker: Encodable {
        var brokerAddrs: [String: String]
        var brokerName: String
        var cluster: String
    }

    private struct Queues: Encodable {
        var brokerName: String
        var perm: Int32
        var readQueueNums: Int32
        var topicSysFlag: Int32
        var writeQueueNums: Int32
    }

    static func render(_ route: TopicRoute) throws -> String {
        let brokers = route.brokers.map { broker in
            let addresses = broker.addresses.map { (String($0.key), $0.value) }
            return Broker(
                brokerAddrs: Dictionary(addresses) { first, _ in first }, brokerName: broker.name,
                cluster: broker.cluster)
        }
        let queues = route.queues.map {
            Queues(
                brokerName: $0.brokerName, perm: $0.permission.rawValue, readQueueNums: $0.readQueues,
                topicSysFlag: $0.systemFlag, writeQueueNums: $0.writeQueues)
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        let body = Route(brokerDatas: brokers, orderTopicConf: route.orderConfiguration, queueDatas: queues)
        return String(decoding: try encoder.encode(body), as: UTF8.self)
    }
}
