/// Topic names, with the address of some broker where the request asks for one.
package struct TopicList: JSONBody, Hashable {
    package var topicList: [String]
    package var brokerAddr: String?

    package init(topicList: [String], brokerAddr: String? = nil) {
        self.topicList = topicList
        self.brokerAddr = brokerAddr
    }

    package init(json: JSONValue) throws(BodyError) {
        topicList = json.texts("topicList")
        brokerAddr = json["brokerAddr"]?.text
    }

    package var json: JSONValue {
        ["brokerAddr": JSONValue(brokerAddr), "topicList": .array(topicList.map(JSONValue.string))]
    }
}

/// A table of texts: KV configuration, and a broker's runtime information.
package struct KVTable: JSONBody, Hashable {
    package var table: [String: String]

    package init(table: [String: String]) {
        self.table = table
    }

    package init(json: JSONValue) throws(BodyError) {
        table = [:]
        for member in json["table"]?.members ?? [] { table[member.key.text] = member.value.text }
    }

    package var json: JSONValue {
        ["table": .textMap(table.map { ($0.key, JSONValue.string($0.value)) })]
    }
}

/// The consumer groups of a topic (300).
package struct GroupList: JSONBody, Hashable {
    package var groupList: [String]

    package init(groupList: [String]) {
        self.groupList = groupList
    }

    package init(json: JSONValue) throws(BodyError) {
        groupList = json.texts("groupList")
    }

    package var json: JSONValue { ["groupList": .array(groupList.map(JSONValue.string))] }
}

/// The client ids of a consumer group (38).
package struct ConsumerIDList: JSONBody, Hashable {
    package var consumerIDs: [String]

    package init(consumerIDs: [String]) {
        self.consumerIDs = consumerIDs
    }

    package init(json: JSONValue) throws(BodyError) {
        consumerIDs = json.texts("consumerIdList")
    }

    package var json: JSONValue { ["consumerIdList": .array(consumerIDs.map(JSONValue.string))] }
}
