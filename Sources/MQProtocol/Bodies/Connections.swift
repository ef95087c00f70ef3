/// One client of a group, as 203 and 204 list it.
package struct ClientConnection: JSONBody, Hashable {
    package var clientID: String
    package var clientAddr: String
    /// RocketMQ's name of the client's language; absent when the client's is none of them.
    package var language: String?
    package var version: Int32

    package init(clientID: String, clientAddr: String, language: String?, version: Int32) {
        self.clientID = clientID
        self.clientAddr = clientAddr
        self.language = language
        self.version = version
    }

    package init(json: JSONValue) throws(BodyError) {
        clientID = json["clientId"]?.text ?? ""
        clientAddr = json["clientAddr"]?.text ?? ""
        language = json["language"]?.text
        version = try json.integer32("version", default: 0)
    }

    package var json: JSONValue {
        [
            "clientAddr": .string(clientAddr), "clientId": .string(clientID), "language": JSONValue(language),
            "version": JSONValue(version),
        ]
    }
}

/// The connections of a consumer group (203).
package struct ConsumerConnection: JSONBody, Hashable {
    package var connections: [ClientConnection]
    package var consumeFromWhere: String?
    package var consumeType: String?
    package var messageModel: String?
    package var subscriptions: [SubscriptionData]

    package init(
        connections: [ClientConnection],
        consumeFromWhere: String?,
        consumeType: String?,
        messageModel: String?,
        subscriptions: [SubscriptionData]
    ) {
        self.connections = connections
        self.consumeFromWhere = consumeFromWhere
        self.consumeType = consumeType
        self.messageModel = messageModel
        self.subscriptions = subscriptions
    }

    package init(json: JSONValue) throws(BodyError) {
        connections = []
        subscriptions = []
        for element in json["connectionSet"]?.elements ?? [] { connections.append(try ClientConnection(json: element)) }
        for member in json["subscriptionTable"]?.members ?? [] {
            subscriptions.append(try SubscriptionData(json: member.value))
        }
        consumeFromWhere = json["consumeFromWhere"]?.text
        consumeType = json["consumeType"]?.text
        messageModel = json["messageModel"]?.text
    }

    package var json: JSONValue {
        [
            "connectionSet": .array(connections.map(\.json)), "consumeFromWhere": JSONValue(consumeFromWhere),
            "consumeType": JSONValue(consumeType), "messageModel": JSONValue(messageModel),
            "subscriptionTable": .textMap(subscriptions.map { ($0.topic, $0.json) }),
        ]
    }
}

/// The connections of a producer group (204).
package struct ProducerConnection: JSONBody, Hashable {
    package var connections: [ClientConnection]

    package init(connections: [ClientConnection]) {
        self.connections = connections
    }

    package init(json: JSONValue) throws(BodyError) {
        connections = []
        for element in json["connectionSet"]?.elements ?? [] { connections.append(try ClientConnection(json: element)) }
    }

    package var json: JSONValue { ["connectionSet": .array(connections.map(\.json))] }
}

/// All producer groups of a broker (328).
package struct ProducerTableInfo: JSONBody, Hashable {
    package struct Producer: Sendable, Hashable {
        package var clientID: String
        package var remoteIP: String
        package var language: String?
        package var version: Int32
        package var lastUpdate: Timestamp

        package init(clientID: String, remoteIP: String, language: String?, version: Int32, lastUpdate: Timestamp) {
            self.clientID = clientID
            self.remoteIP = remoteIP
            self.language = language
            self.version = version
            self.lastUpdate = lastUpdate
        }
    }

    package var groups: [String: [Producer]]

    package init(groups: [String: [Producer]]) {
        self.groups = groups
    }

    package init(json: JSONValue) throws(BodyError) {
        groups = [:]
        for member in json["data"]?.members ?? [] {
            for element in member.value.elements {
                groups[member.key.text, default: []].append(
                    Producer(
                        clientID: element["clientId"]?.text ?? "", remoteIP: element["remoteIP"]?.text ?? "",
                        language: element["language"]?.text, version: try element.integer32("version", default: 0),
                        lastUpdate: try element.timestamp("lastUpdateTimestamp")
                    )
                )
            }
        }
    }

    package var json: JSONValue {
        let groups = groups.map { group, producers in
            (
                key: group,
                value: JSONValue.array(
                    producers.map { producer in
                        [
                            "clientId": .string(producer.clientID), "language": JSONValue(producer.language),
                            "lastUpdateTimestamp": JSONValue(producer.lastUpdate),
                            "remoteIP": .string(producer.remoteIP),
                            "version": JSONValue(producer.version),
                        ]
                    })
            )
        }
        return ["data": .textMap(groups)]
    }
}

/// What a consumer made of one message (309).
package struct ConsumeDirectlyResult: JSONBody, Hashable {
    package var consumeResult: String
    package var remark: String?
    package var order: Bool
    package var autoCommit: Bool
    /// In milliseconds.
    package var spentTime: Int64

    package init(
        consumeResult: String, remark: String? = nil, order: Bool = false, autoCommit: Bool = true, spentTime: Int64 = 0
    ) {
        self.consumeResult = consumeResult
        self.remark = remark
        self.order = order
        self.autoCommit = autoCommit
        self.spentTime = spentTime
    }

    package init(json: JSONValue) throws(BodyError) {
        consumeResult = json["consumeResult"]?.text ?? ""
        remark = json["remark"]?.text
        order = try json.bool("order", default: false)
        autoCommit = try json.bool("autoCommit", default: true)
        spentTime = try json.integer("spentTimeMills", default: 0)
    }

    package var json: JSONValue {
        [
            "autoCommit": .bool(autoCommit), "consumeResult": .string(consumeResult), "order": .bool(order),
            "remark": JSONValue(remark), "spentTimeMills": JSONValue(spentTime),
        ]
    }
}
