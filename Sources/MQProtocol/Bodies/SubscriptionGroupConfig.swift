/// What a broker knows of a consumer group.
package struct SubscriptionGroupConfig: JSONBody, Hashable {
    package var groupName: String
    /// Default: true.
    package var consumeEnable = true
    /// Kept for stock tools; nothing reads it. Default: true.
    package var consumeFromMinEnable = true
    /// Default: true.
    package var consumeBroadcastEnable = true
    /// Queues of the group's retry topic; 0 drops what is sent back. Default: 1.
    package var retryQueueNums: Int32 = 1
    /// Deliveries after the first before a message is a dead letter. Default: 16.
    package var retryMaxTimes: Int32 = 16
    package var brokerID: Int64 = 0
    /// The slave that far-behind consumers are sent to. Default: 1.
    package var whichBrokerWhenConsumeSlowly: Int64 = 1
    /// Members hear at once when the group changes. Default: true.
    package var notifyConsumerIDsChangedEnable = true

    package init(groupName: String) {
        self.groupName = groupName
    }

    package init(json: JSONValue) throws(BodyError) {
        groupName = try json.requiredText("groupName")
        consumeEnable = try json.bool("consumeEnable", default: true)
        consumeFromMinEnable = try json.bool("consumeFromMinEnable", default: true)
        consumeBroadcastEnable = try json.bool("consumeBroadcastEnable", default: true)
        retryQueueNums = try json.integer32("retryQueueNums", default: 1)
        retryMaxTimes = try json.integer32("retryMaxTimes", default: 16)
        brokerID = try json.integer("brokerId", default: 0)
        whichBrokerWhenConsumeSlowly = try json.integer("whichBrokerWhenConsumeSlowly", default: 1)
        notifyConsumerIDsChangedEnable = try json.bool("notifyConsumerIdsChangedEnable", default: true)
    }

    package var json: JSONValue {
        [
            "brokerId": JSONValue(brokerID), "consumeBroadcastEnable": .bool(consumeBroadcastEnable),
            "consumeEnable": .bool(consumeEnable), "consumeFromMinEnable": .bool(consumeFromMinEnable),
            "groupName": .string(groupName), "notifyConsumerIdsChangedEnable": .bool(notifyConsumerIDsChangedEnable),
            "retryMaxTimes": JSONValue(retryMaxTimes), "retryQueueNums": JSONValue(retryQueueNums),
            "whichBrokerWhenConsumeSlowly": JSONValue(whichBrokerWhenConsumeSlowly),
        ]
    }
}

/// A broker's groups: `subscriptionGroup.json`, and the answer to code 201.
package struct SubscriptionGroupTable: JSONBody, Hashable {
    package var dataVersion: DataVersion
    package var subscriptionGroupTable: [String: SubscriptionGroupConfig]

    package init(dataVersion: DataVersion, groups: some Sequence<SubscriptionGroupConfig>) {
        self.dataVersion = dataVersion
        subscriptionGroupTable = Dictionary(groups.map { ($0.groupName, $0) }, uniquingKeysWith: { $1 })
    }

    package init(json: JSONValue) throws(BodyError) {
        dataVersion = try DataVersion(json: json["dataVersion"] ?? [:])
        subscriptionGroupTable = [:]
        for member in json["subscriptionGroupTable"]?.members ?? [] {
            subscriptionGroupTable[member.key.text] = try SubscriptionGroupConfig(json: member.value)
        }
    }

    package var json: JSONValue {
        [
            "dataVersion": dataVersion.json,
            "subscriptionGroupTable": .textMap(subscriptionGroupTable.map { ($0.key, $0.value.json) }),
        ]
    }
}
