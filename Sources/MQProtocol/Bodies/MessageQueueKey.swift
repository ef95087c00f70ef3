/// A queue of a topic at a broker, as bodies name it: often as the key of a map.
package struct MessageQueueKey: JSONBody, Hashable, Comparable {
    package var topic: String
    package var brokerName: String
    package var queueID: Int32

    package init(topic: String, brokerName: String, queueID: Int32) {
        self.topic = topic
        self.brokerName = brokerName
        self.queueID = queueID
    }

    package init(json: JSONValue) throws(BodyError) {
        topic = try json.requiredText("topic")
        brokerName = json["brokerName"]?.text ?? ""
        queueID = try json.integer32("queueId", default: 0)
    }

    package var json: JSONValue {
        ["brokerName": .string(brokerName), "queueId": JSONValue(queueID), "topic": .string(topic)]
    }

    package static func < (left: MessageQueueKey, right: MessageQueueKey) -> Bool {
        (left.topic, left.brokerName, left.queueID) < (right.topic, right.brokerName, right.queueID)
    }

    /// A map with queues as keys.
    static func map(_ json: JSONValue?) throws(BodyError) -> [(queue: MessageQueueKey, value: JSONValue)] {
        var entries: [(queue: MessageQueueKey, value: JSONValue)] = []
        for member in json?.members ?? [] {
            guard let key = member.key.object else { throw BodyError(.invalidMember, "a queue as key") }
            entries.append((try MessageQueueKey(json: key), member.value))
        }
        return entries
    }

    var member: (JSONValue) -> JSONValue.Member {
        { JSONValue.Member(.object(json), $0) }
    }
}

/// The bodies of LOCK_BATCH_MQ (41) and UNLOCK_BATCH_MQ (42).
package struct LockBatchBody: JSONBody, Hashable {
    package var clientID: String
    package var consumerGroup: String
    package var queues: [MessageQueueKey]

    package init(clientID: String, consumerGroup: String, queues: [MessageQueueKey]) {
        self.clientID = clientID
        self.consumerGroup = consumerGroup
        self.queues = queues
    }

    package init(json: JSONValue) throws(BodyError) {
        clientID = try json.requiredText("clientId")
        consumerGroup = try json.requiredText("consumerGroup")
        queues = []
        for element in json["mqSet"]?.elements ?? [] { queues.append(try MessageQueueKey(json: element)) }
    }

    package var json: JSONValue {
        [
            "clientId": .string(clientID), "consumerGroup": .string(consumerGroup),
            "mqSet": .array(queues.map(\.json)),
        ]
    }
}

/// The answer to LOCK_BATCH_MQ: the queues that are the client's now.
package struct LockBatchAnswer: JSONBody, Hashable {
    package var queues: [MessageQueueKey]

    package init(queues: [MessageQueueKey]) {
        self.queues = queues
    }

    package init(json: JSONValue) throws(BodyError) {
        queues = []
        for element in json["lockOKMQSet"]?.elements ?? [] { queues.append(try MessageQueueKey(json: element)) }
    }

    package var json: JSONValue { ["lockOKMQSet": .array(queues.map(\.json))] }
}
