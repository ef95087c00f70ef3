import MQProtocol
import NIOCore

/// What comes over the wire, in this module's own terms.
extension JSONBody {
    /// - Parameter what: names the body in the error.
    static func decode(_ buffer: ByteBuffer, _ what: String, from address: String) throws(MQClientError) -> Self {
        do {
            return try decode(buffer)
        } catch {
            throw MQClientError(malformed: what, from: address, cause: error)
        }
    }
}

extension TopicRoute {
    init(_ body: ByteBuffer, from address: String) throws(MQClientError) {
        let data = try TopicRouteData.decode(body, "route", from: address)
        self.init(
            brokers: data.brokerDatas.map(Broker.init),
            queues: data.queueDatas.map {
                Queues(
                    brokerName: $0.brokerName, readQueues: $0.readQueueNums, writeQueues: $0.writeQueueNums,
                    permission: TopicPermission(rawValue: $0.perm), systemFlag: $0.topicSysFlag)
            },
            orderConfiguration: data.orderTopicConf)
    }
}

extension TopicRoute.Broker {
    init(_ data: BrokerData) {
        self.init(cluster: data.cluster, name: data.brokerName, addresses: data.brokerAddrs)
    }
}

extension ClusterTopology {
    init(_ info: ClusterInfo) {
        self.init(
            brokerNamesByCluster: info.clusterAddrTable,
            brokersByName: info.brokerAddrTable.mapValues(TopicRoute.Broker.init))
    }
}

extension MessageQueue {
    init(_ key: MessageQueueKey) {
        self.init(topic: key.topic, brokerName: key.brokerName, queueID: key.queueID)
    }
}

extension SubscriptionGroupConfig {
    init(_ group: GroupConfiguration) {
        self.init(groupName: group.name)
        consumeEnable = group.mayConsume
        consumeFromMinEnable = group.mayConsumeFromMinimum
        consumeBroadcastEnable = group.mayBroadcast
        retryQueueNums = group.retryQueues
        retryMaxTimes = group.maximumRetries
        brokerID = group.brokerID
        whichBrokerWhenConsumeSlowly = group.slowConsumerBrokerID
        notifyConsumerIDsChangedEnable = group.notifiesMembers
    }
}

extension ConsumerConnections {
    init(_ body: ConsumerConnection) {
        let subscriptions = body.subscriptions.map { data in
            Subscription(
                topic: data.topic, expression: data.subString, type: data.expressionType, tags: Set(data.tagsSet))
        }
        self.init(
            members: body.connections.map {
                Member(
                    clientID: $0.clientID, address: $0.clientAddr, language: $0.language ?? "", version: $0.version)
            },
            subscriptions: Dictionary(subscriptions.map { ($0.topic, $0) }) { first, _ in first },
            consumeType: body.consumeType ?? "",
            messageModel: body.messageModel ?? "",
            consumeFromWhere: body.consumeFromWhere ?? "")
    }
}
