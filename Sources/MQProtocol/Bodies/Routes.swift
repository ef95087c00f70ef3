package import NIOCore

/// A broker name's addresses: id 0 is the master.
package struct BrokerData: JSONBody, Hashable {
    package var cluster: String
    package var brokerName: String
    package var brokerAddrs: [Int64: String]

    package init(cluster: String, brokerName: String, brokerAddrs: [Int64: String]) {
        self.cluster = cluster
        self.brokerName = brokerName
        self.brokerAddrs = brokerAddrs
    }

    package init(json: JSONValue) throws(BodyError) {
        cluster = json["cluster"]?.text ?? ""
        brokerName = try json.requiredText("brokerName")
        brokerAddrs = [:]
        for member in json["brokerAddrs"]?.members ?? [] {
            guard let id = member.key.integer, let address = member.value.text else {
                throw BodyError(.invalidMember, "brokerAddrs")
            }
            brokerAddrs[id] = address
        }
    }

    package var json: JSONValue {
        [
            "brokerAddrs": .integerMap(brokerAddrs.map { ($0.key, JSONValue.string($0.value)) }),
            "brokerName": .string(brokerName), "cluster": .string(cluster),
        ]
    }
}

/// A topic's queues at one broker name.
package struct QueueData: JSONBody, Hashable {
    package var brokerName: String
    package var readQueueNums: Int32
    package var writeQueueNums: Int32
    package var perm: Int32
    package var topicSysFlag: Int32

    package init(
        brokerName: String, readQueueNums: Int32, writeQueueNums: Int32, perm: Int32, topicSysFlag: Int32 = 0
    ) {
        self.brokerName = brokerName
        self.readQueueNums = readQueueNums
        self.writeQueueNums = writeQueueNums
        self.perm = perm
        self.topicSysFlag = topicSysFlag
    }

    package init(json: JSONValue) throws(BodyError) {
        brokerName = try json.requiredText("brokerName")
        readQueueNums = try json.integer32("readQueueNums", default: 0)
        writeQueueNums = try json.integer32("writeQueueNums", default: 0)
        perm = try json.integer32("perm", default: 0)
        topicSysFlag = try json.integer32("topicSysFlag", default: json.integer32("topicSynFlag", default: 0))
    }

    package var json: JSONValue {
        [
            "brokerName": .string(brokerName), "perm": JSONValue(perm), "readQueueNums": JSONValue(readQueueNums),
            "topicSysFlag": JSONValue(topicSysFlag), "writeQueueNums": JSONValue(writeQueueNums),
        ]
    }
}

/// Where a topic is (105).
package struct TopicRouteData: JSONBody, Hashable {
    package var queueDatas: [QueueData]
    package var brokerDatas: [BrokerData]
    package var filterServerTable: [String: [String]]
    /// `broker:queues;broker:queues` of an order topic.
    package var orderTopicConf: String?

    package init(
        queueDatas: [QueueData],
        brokerDatas: [BrokerData],
        filterServerTable: [String: [String]] = [:],
        orderTopicConf: String? = nil
    ) {
        self.queueDatas = queueDatas
        self.brokerDatas = brokerDatas
        self.filterServerTable = filterServerTable
        self.orderTopicConf = orderTopicConf
    }

    package init(json: JSONValue) throws(BodyError) {
        queueDatas = []
        brokerDatas = []
        filterServerTable = [:]
        for element in json["queueDatas"]?.elements ?? [] { queueDatas.append(try QueueData(json: element)) }
        for element in json["brokerDatas"]?.elements ?? [] { brokerDatas.append(try BrokerData(json: element)) }
        for member in json["filterServerTable"]?.members ?? [] {
            filterServerTable[member.key.text] = member.value.elements.compactMap(\.text)
        }
        orderTopicConf = json["orderTopicConf"]?.text
    }

    package var json: JSONValue {
        [
            "brokerDatas": .array(brokerDatas.map(\.json)),
            "filterServerTable": .textMap(
                filterServerTable.map { ($0.key, JSONValue.array($0.value.map(JSONValue.string))) }
            ),
            "orderTopicConf": JSONValue(orderTopicConf),
            "queueDatas": .array(queueDatas.map(\.json)),
        ]
    }

    /// For clients from 4.9.4 on, and those that ask for it: standard JSON, all of it ASCII.
    package func encodeStandard() -> ByteBuffer {
        JSONWriter.compact(json, style: .ascii)
    }
}

/// All clusters and brokers (106).
package struct ClusterInfo: JSONBody, Hashable {
    package var brokerAddrTable: [String: BrokerData]
    package var clusterAddrTable: [String: [String]]

    package init(brokerAddrTable: [String: BrokerData], clusterAddrTable: [String: [String]]) {
        self.brokerAddrTable = brokerAddrTable
        self.clusterAddrTable = clusterAddrTable
    }

    package init(json: JSONValue) throws(BodyError) {
        brokerAddrTable = [:]
        clusterAddrTable = [:]
        for member in json["brokerAddrTable"]?.members ?? [] {
            brokerAddrTable[member.key.text] = try BrokerData(json: member.value)
        }
        for member in json["clusterAddrTable"]?.members ?? [] {
            clusterAddrTable[member.key.text] = member.value.elements.compactMap(\.text)
        }
    }

    package var json: JSONValue {
        [
            "brokerAddrTable": .textMap(brokerAddrTable.map { ($0.key, $0.value.json) }),
            "clusterAddrTable": .textMap(
                clusterAddrTable.map { ($0.key, JSONValue.array($0.value.map(JSONValue.string))) }
            ),
        ]
    }
}
