import NIOCore
import Testing

@testable import MQProtocol

@Suite struct BodyTests {
    private func decode<Body: JSONBody>(_ type: Body.Type, _ text: String) throws -> Body {
        try Body.decode(ByteBuffer(string: text))
    }

    /// Decoding what we encode changes nothing, in every form in which a body may be written.
    private func roundTrip<Body: JSONBody & Equatable>(_ body: Body) throws {
        #expect(try Body.decode(body.encode()) == body)
        #expect(try Body.decode(body.encodePretty()) == body)
        for style in [JSONWriter.Style.standard, .ascii] {
            #expect(try Body.decode(JSONWriter.compact(body.json, style: style)) == body)
        }
    }

    @Test func heartbeat() throws {
        let body = try decode(HeartbeatData.self, BodySample.heartbeat)
        #expect(body.clientID == "192.0.2.2@483#960632793414")
        let members = try JSONReader.parse(body.encode())
        #expect(members["consumerDataSet"]?.elements.first?["subscriptionDataSet"]?.elements.count == 2)
        #expect(members["producerDataSet"]?.elements.first?["groupName"]?.text == "CLIENT_INNER_PRODUCER")
        try roundTrip(body)
    }

    @Test func newerClientsSendMore() throws {
        let text = #"{"clientID":"c","heartbeatFingerprint":7,"withoutSub":true,"unknown":{"a":[1]}}"#
        #expect(try decode(HeartbeatData.self, text).clientID == "c")
        let version = try decode(DataVersion.self, #"{"counter":2,"stateVersion":9,"timestamp":5}"#)
        #expect(version == DataVersion(counter: 2, timestamp: Timestamp(milliseconds: 5)))
        let lock = #"{"clientId":"c","consumerGroup":"g","mqSet":[],"onlyThisBroker":true}"#
        #expect(try decode(LockBatchBody.self, lock).consumerGroup == "g")
        let topic = #"{"attributes":{},"order":false,"perm":6,"readQueueNums":8,"topicName":"T","writeQueueNums":8}"#
        #expect(try decode(TopicConfig.self, topic).readQueueNums == 8)
    }

    @Test func lockedQueues() throws {
        let body = try decode(LockBatchBody.self, BodySample.lock)
        #expect(body.consumerGroup == "CG_orderly")
        try roundTrip(body)
    }

    @Test func routes() throws {
        let route = try decode(TopicRouteData.self, BodySample.routeStandard)
        #expect(String(buffer: route.encodeStandard()) == BodySample.routeStandard)
        #expect(route.brokerDatas.first?.brokerAddrs == [0: "127.0.0.2:20911", 1: "127.0.0.1:21911"])
        #expect(String(buffer: route.encode()).contains(#"{"brokerAddrs":{0:"127.0.0.2:20911",1:"#))
        try roundTrip(route)
        let extended =
            #"{"brokerDatas":[{"brokerAddrs":{0:"a:1"},"brokerName":"b","cluster":"c","zoneName":"z","#
            + #""enableActingMaster":false}],"queueDatas":[],"topicQueueMappingByBroker":{}}"#
        #expect(try decode(TopicRouteData.self, extended).brokerDatas.first?.brokerAddrs[0] == "a:1")
    }

    @Test func clusters() throws {
        let info = try decode(ClusterInfo.self, BodySample.cluster)
        #expect(String(buffer: info.encode()) == BodySample.cluster)
        #expect(info.clusterAddrTable == ["FactsCluster": ["broker-a"]])
        try roundTrip(info)
    }

    @Test func registrations() throws {
        let plain = try decode(RegisterBrokerBody.self, BodySample.register)
        #expect(String(buffer: plain.encode()) == BodySample.register)
        let compressed = ByteBuffer(hexText: BodySample.registerCompressed)
        let inflated = try RegisterBrokerBody.decode(compressed, compressed: true, version: 409)
        #expect(inflated == plain)
        #expect(bodyCRC(plain.encode().readableBytesUInt8Span) == 2_053_015_847)
        #expect(bodyCRC(compressed.readableBytesUInt8Span) == 165_441_579)
        let ours = plain.encodeCompressed()
        #expect(try RegisterBrokerBody.decode(ours, compressed: true, version: 409) == plain)
    }

    @Test func registrationsOfTooManyTopicsAreRefused() throws {
        var plain = ByteBuffer()
        let version = try DataVersion.decode(ByteBuffer(string: "{}")).encode()
        plain.writeInteger(Int32(version.readableBytes))
        plain.writeImmutableBuffer(version)
        let count: Int32 = 400_001
        plain.writeInteger(count)
        plain.writeRepeatingByte(0, count: Int(count + 1) * 4)
        #expect(throws: BodyError.self) {
            try RegisterBrokerBody.decode(Zlib.deflate(plain), compressed: true, version: 409)
        }
    }

    @Test func truncatedRegistrationsAreRefused() {
        let whole = ByteBuffer(hexText: BodySample.registerCompressed)
        for length in 0..<whole.readableBytes {
            let part = whole.getSlice(at: 0, length: length) ?? ByteBuffer()
            #expect(throws: BodyError.self) {
                try RegisterBrokerBody.decode(part, compressed: true, version: 409)
            }
        }
    }

    @Test func queuesAsKeys() throws {
        let stats = try decode(TopicStatsTable.self, BodySample.topicStats)
        #expect(stats.entries.first?.queue == MessageQueueKey(topic: "TopicTest", brokerName: "broker-a", queueID: 3))
        #expect(stats.entries.first?.maximumOffset.rawValue == 5)
        #expect(String(buffer: stats.encode()) == BodySample.topicStats)
        try roundTrip(stats)
        let consumed = try decode(ConsumeStats.self, BodySample.consumeStats)
        #expect(consumed.consumeTPS == 0.05)
        #expect(String(buffer: consumed.encode()) == BodySample.consumeStats)
        try roundTrip(consumed)
        let reset = try decode(ResetOffsetBody.self, BodySample.resetMap)
        #expect(reset == (try decode(ResetOffsetBody.self, BodySample.resetList)))
        #expect(String(buffer: reset.encode()) == BodySample.resetMap)
        #expect(String(buffer: JSONWriter.compact(reset.listJSON)) == BodySample.resetList)
        let status = try decode(ConsumerStatusBody.self, BodySample.status)
        #expect(String(buffer: status.encode()) == BodySample.status)
        #expect(throws: BodyError.self) { try decode(ResetOffsetBody.self, #"{"offsetTable":{"x":5}}"#) }
    }

    @Test func offsetsByNumber() throws {
        let delay = try decode(DelayOffsetsBody.self, BodySample.delayOffsets)
        #expect(String(buffer: delay.encode()) == BodySample.delayOffsets)
        let correction = try decode(CorrectionOffsetsBody.self, BodySample.correctionOffsets)
        #expect(String(buffer: correction.encode()) == BodySample.correctionOffsets)
        #expect(throws: BodyError.self) { try decode(DelayOffsetsBody.self, #"{"offsetTable":{"x":1}}"#) }
        #expect(throws: BodyError.self) { try decode(DelayOffsetsBody.self, #"{"offsetTable":{9999999999:1}}"#) }
    }

    @Test func listsAndTables() throws {
        #expect(String(buffer: try decode(TopicList.self, BodySample.topicList).encode()) == BodySample.topicList)
        #expect(String(buffer: try decode(KVTable.self, BodySample.table).encode()) == BodySample.table)
        #expect(
            String(buffer: try decode(ConsumerIDList.self, BodySample.consumerList).encode()) == BodySample.consumerList
        )
        #expect(String(buffer: try decode(GroupList.self, BodySample.groupList).encode()) == BodySample.groupList)
        #expect(
            String(buffer: try decode(ConsumeDirectlyResult.self, BodySample.direct).encode()) == BodySample.direct
        )
        #expect(
            String(buffer: try decode(BrokerStatsData.self, BodySample.statistics).encode()) == BodySample.statistics
        )
        #expect(
            String(buffer: try decode(ProducerTableInfo.self, BodySample.producers).encode()) == BodySample.producers
        )
    }

    @Test func connectionsAndEntries() throws {
        let connection = try decode(ConsumerConnection.self, BodySample.consumerConnection)
        #expect(connection.connections.first?.clientID == "192.0.2.2@inst1")
        #expect(connection.connections.first?.version == 409)
        try roundTrip(connection)
        let entries = try decode(QueryConsumeQueueBody.self, BodySample.consumeQueue)
        #expect(entries.maximumIndex == 5)
        #expect(entries.entries.first?.tagsCode == 2_598_919)
        try roundTrip(entries)
    }

    @Test func missingMembersTakeTheDefaults() throws {
        let group = try decode(SubscriptionGroupConfig.self, #"{"groupName":"G"}"#)
        let text = String(buffer: group.encode())
        for part in [
            #""retryMaxTimes":16"#, #""retryQueueNums":1"#, #""consumeEnable":true"#, #""brokerId":0"#,
            #""whichBrokerWhenConsumeSlowly":1"#, #""notifyConsumerIdsChangedEnable":true"#,
        ] {
            #expect(text.contains(part))
        }
        #expect(throws: BodyError.self) { try decode(SubscriptionGroupConfig.self, #"{"retryMaxTimes":1}"#) }
        let wide = #"{"groupName":"G","retryMaxTimes":99999999999}"#
        #expect(throws: BodyError.self) { try decode(SubscriptionGroupConfig.self, wide) }
        #expect(throws: BodyError.self) { try decode(HeartbeatData.self, "") }
        #expect(throws: BodyError.self) { try decode(HeartbeatData.self, "{") }
    }
}
