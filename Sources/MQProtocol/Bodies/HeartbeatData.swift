/// What a consumer wants of one topic.
package struct SubscriptionData: JSONBody, Hashable {
    package var topic: String
    /// `*`, or tags separated by `||`; an expression when the type is not TAG.
    package var subString: String
    package var tagsSet: [String]
    /// Java hashes of the tags.
    package var codeSet: [Int32]
    /// Grows when the subscription changes; milliseconds since 1970.
    package var subVersion: Int64
    /// `TAG` or `SQL92`. Default: TAG.
    package var expressionType: String
    package var classFilterMode: Bool

    package init(
        topic: String, subString: String = "*", subVersion: Int64 = 0, expressionType: String = "TAG"
    ) {
        self.topic = topic
        self.subString = subString
        self.subVersion = subVersion
        self.expressionType = expressionType
        tagsSet = TagFilter.tags(in: subString)
        codeSet = tagsSet.map { javaHash($0) }
        classFilterMode = false
    }

    package init(json: JSONValue) throws(BodyError) {
        topic = try json.requiredText("topic")
        subString = json["subString"]?.text ?? "*"
        tagsSet = json.texts("tagsSet")
        codeSet = json["codeSet"]?.elements.compactMap { $0.integer.flatMap(Int32.init(exactly:)) } ?? []
        subVersion = try json.integer("subVersion", default: 0)
        expressionType = json["expressionType"]?.text ?? "TAG"
        classFilterMode = try json.bool("classFilterMode", default: false)
    }

    package var json: JSONValue {
        [
            "classFilterMode": .bool(classFilterMode), "codeSet": .array(codeSet.map { JSONValue($0) }),
            "expressionType": .string(expressionType), "subString": .string(subString),
            "subVersion": JSONValue(subVersion), "tagsSet": .array(tagsSet.map(JSONValue.string)),
            "topic": .string(topic),
        ]
    }
}

/// One consumer of a client, as its heartbeat announces it.
package struct ConsumerData: JSONBody, Hashable {
    package var groupName: String
    /// `CONSUME_PASSIVELY` (push) or `CONSUME_ACTIVELY` (pull).
    package var consumeType: String
    /// `CLUSTERING` or `BROADCASTING`.
    package var messageModel: String
    package var consumeFromWhere: String
    package var unitMode: Bool
    package var subscriptions: [SubscriptionData]

    package init(
        groupName: String,
        consumeType: String = "CONSUME_PASSIVELY",
        messageModel: String = "CLUSTERING",
        consumeFromWhere: String = "CONSUME_FROM_LAST_OFFSET",
        unitMode: Bool = false,
        subscriptions: [SubscriptionData]
    ) {
        self.groupName = groupName
        self.consumeType = consumeType
        self.messageModel = messageModel
        self.consumeFromWhere = consumeFromWhere
        self.unitMode = unitMode
        self.subscriptions = subscriptions
    }

    package init(json: JSONValue) throws(BodyError) {
        groupName = try json.requiredText("groupName")
        consumeType = json["consumeType"]?.text ?? "CONSUME_PASSIVELY"
        messageModel = json["messageModel"]?.text ?? "CLUSTERING"
        consumeFromWhere = json["consumeFromWhere"]?.text ?? "CONSUME_FROM_LAST_OFFSET"
        unitMode = try json.bool("unitMode", default: false)
        subscriptions = []
        for element in json["subscriptionDataSet"]?.elements ?? [] {
            subscriptions.append(try SubscriptionData(json: element))
        }
    }

    package var json: JSONValue {
        [
            "consumeFromWhere": .string(consumeFromWhere), "consumeType": .string(consumeType),
            "groupName": .string(groupName), "messageModel": .string(messageModel),
            "subscriptionDataSet": .array(subscriptions.map(\.json)), "unitMode": .bool(unitMode),
        ]
    }
}

/// The body of a heartbeat (34).
package struct HeartbeatData: JSONBody, Hashable {
    package var clientID: String
    package var producerGroups: [String]
    package var consumers: [ConsumerData]

    package init(clientID: String, producerGroups: [String] = [], consumers: [ConsumerData] = []) {
        self.clientID = clientID
        self.producerGroups = producerGroups
        self.consumers = consumers
    }

    package init(json: JSONValue) throws(BodyError) {
        clientID = try json.requiredText("clientID")
        producerGroups = json["producerDataSet"]?.elements.compactMap { $0["groupName"]?.text } ?? []
        consumers = []
        for element in json["consumerDataSet"]?.elements ?? [] {
            consumers.append(try ConsumerData(json: element))
        }
    }

    package var json: JSONValue {
        [
            "clientID": .string(clientID), "consumerDataSet": .array(consumers.map(\.json)),
            "producerDataSet": .array(producerGroups.map { ["groupName": .string($0)] }),
        ]
    }
}

/// The body of CHECK_CLIENT_CONFIG (46).
package struct CheckClientConfigBody: JSONBody, Hashable {
    package var clientID: String
    package var group: String
    package var subscription: SubscriptionData

    package init(clientID: String, group: String, subscription: SubscriptionData) {
        self.clientID = clientID
        self.group = group
        self.subscription = subscription
    }

    package init(json: JSONValue) throws(BodyError) {
        clientID = json["clientId"]?.text ?? ""
        group = json["group"]?.text ?? ""
        guard let data = json["subscriptionData"] else { throw BodyError(.missingMember, "subscriptionData") }
        subscription = try SubscriptionData(json: data)
    }

    package var json: JSONValue {
        ["clientId": .string(clientID), "group": .string(group), "subscriptionData": subscription.json]
    }
}
