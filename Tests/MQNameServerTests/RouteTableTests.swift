import MQProtocol
import TestSupport
import Testing

@testable import MQNameServer

@Suite struct RouteTableTests {
    private static func at(_ seconds: Int64) -> Timestamp { Timestamp(milliseconds: seconds * 1000) }

    private static func version(_ counter: Int64) -> DataVersion {
        DataVersion(counter: counter, timestamp: at(7))
    }

    private static func registration(
        _ brokerName: String = "broker-a",
        id: Int64 = 0,
        address: String? = nil,
        cluster: String = "C1",
        version: Int64 = 1,
        topics: [String] = ["T1"],
        connection: UInt64 = 1
    ) -> BrokerRegistration {
        let address = address ?? "\(brokerName)-\(id):10911"
        return BrokerRegistration(
            clusterName: cluster,
            brokerName: brokerName,
            address: address,
            brokerID: id,
            haAddress: "ha-of-\(address)",
            dataVersion: Self.version(version),
            topics: topics.map { TopicConfig(topicName: $0, readQueueNums: 4, writeQueueNums: 8) },
            filterServers: [],
            connection: connection
        )
    }

    private static func brokerNames(_ table: RouteTable, _ topic: String) -> [String]? {
        table.route(of: topic)?.brokerDatas.map(\.brokerName)
    }

    @Test func aMasterIsInTheRoutesOfItsTopics() throws {
        var table = RouteTable()
        let answer = table.register(Self.registration(), now: Self.at(0))
        #expect(answer == RegistrationAnswer(isNew: true))
        let route = try #require(table.route(of: "T1"))
        #expect(route.brokerDatas.map(\.brokerAddrs) == [[0: "broker-a-0:10911"]])
        let queues = try #require(route.queueDatas.first)
        #expect(queues.brokerName == "broker-a")
        #expect(queues.readQueueNums == 4)
        #expect(queues.writeQueueNums == 8)
        #expect(queues.perm == 6)
        #expect(table.route(of: "T2") == nil)
        #expect(table.register(Self.registration(), now: Self.at(30)).isNew == false)
    }

    @Test func aSlaveLearnsItsMasterAndBringsNoTopics() {
        var table = RouteTable()
        let alone = table.register(Self.registration(id: 1, topics: ["S"], connection: 2), now: Self.at(0))
        #expect(alone == RegistrationAnswer(isNew: true))
        #expect(table.route(of: "S") == nil)
        _ = table.register(Self.registration(), now: Self.at(1))
        let answer = table.register(Self.registration(id: 1, connection: 2), now: Self.at(2))
        #expect(answer.masterAddress == "broker-a-0:10911")
        #expect(answer.masterHAAddress == "ha-of-broker-a-0:10911")
        #expect(table.route(of: "T1")?.brokerDatas.first?.brokerAddrs.count == 2)
    }

    @Test func topicsAreTakenOverOnlyWithANewVersionAndNeverRemovedByAbsence() {
        var table = RouteTable()
        _ = table.register(Self.registration(topics: ["T1"]), now: Self.at(0))
        _ = table.register(Self.registration(topics: ["T2"]), now: Self.at(1))
        #expect(table.allTopics() == ["T1"])
        _ = table.register(Self.registration(version: 2, topics: ["T2"]), now: Self.at(2))
        #expect(table.allTopics() == ["T1", "T2"])
    }

    @Test func anAddressHasOneIDOnly() {
        var table = RouteTable()
        _ = table.register(Self.registration(id: 1, address: "x:1"), now: Self.at(0))
        _ = table.register(Self.registration(id: 0, address: "x:1"), now: Self.at(1))
        #expect(table.route(of: "T1")?.brokerDatas.map(\.brokerAddrs) == [[0: "x:1"]])
    }

    @Test func aBrokerThatChangesItsClusterLeavesTheOldOne() {
        var table = RouteTable()
        _ = table.register(Self.registration(cluster: "C1"), now: Self.at(0))
        _ = table.register(Self.registration(cluster: "C2"), now: Self.at(1))
        #expect(table.clusterInfo().clusterAddrTable == ["C2": ["broker-a"]])
        #expect(table.topics(ofCluster: "C1") == [])
        #expect(table.topics(ofCluster: "C2") == ["T1"])
    }

    @Test func silentBrokersExpireAfterTheTimeout() {
        var table = RouteTable(brokerTimeout: .seconds(120))
        _ = table.register(Self.registration(), now: Self.at(0))
        _ = table.register(Self.registration("broker-b", topics: ["T1", "T2"], connection: 2), now: Self.at(60))
        #expect(table.expire(now: Self.at(120)).isEmpty)
        let removed = table.expire(now: Self.at(121))
        #expect(removed == [RemovedBroker(address: "broker-a-0:10911", brokerName: "broker-a", connection: 1)])
        #expect(Self.brokerNames(table, "T1") == ["broker-b"])
        #expect(table.expire(now: Self.at(181)).map(\.brokerName) == ["broker-b"])
        #expect(table.allTopics() == [])
        #expect(table.clusterInfo().clusterAddrTable.isEmpty)
        #expect(table.live.isEmpty)
    }

    @Test func anUnchangedVersionQueryIsASignOfLife() {
        var table = RouteTable(brokerTimeout: .seconds(120))
        #expect(table.compare(Self.version(1), address: "nobody", now: Self.at(0)).isChanged)
        _ = table.register(Self.registration(), now: Self.at(0))
        let same = table.compare(Self.version(1), address: "broker-a-0:10911", now: Self.at(100))
        #expect(!same.isChanged)
        let other = table.compare(Self.version(2), address: "broker-a-0:10911", now: Self.at(200))
        #expect(other.isChanged)
        #expect(other.known == Self.version(1))
        #expect(table.expire(now: Self.at(220)).isEmpty)
        #expect(table.expire(now: Self.at(221)).count == 1)
    }

    @Test func aLostConnectionTakesItsBrokersButNotOnesThatCameBackOverAnother() {
        var table = RouteTable()
        _ = table.register(Self.registration(connection: 1), now: Self.at(0))
        _ = table.register(Self.registration(connection: 2), now: Self.at(1))
        #expect(table.connectionLost(1).isEmpty)
        #expect(Self.brokerNames(table, "T1") == ["broker-a"])
        #expect(table.connectionLost(2).map(\.address) == ["broker-a-0:10911"])
        #expect(table.route(of: "T1") == nil)
    }

    @Test func theRouteStaysWhileASlaveLives() {
        var table = RouteTable()
        _ = table.register(Self.registration(connection: 1), now: Self.at(0))
        _ = table.register(Self.registration(id: 1, connection: 2), now: Self.at(0))
        _ = table.connectionLost(1)
        #expect(table.route(of: "T1")?.brokerDatas.map(\.brokerAddrs) == [[1: "broker-a-1:10911"]])
        _ = table.connectionLost(2)
        #expect(table.route(of: "T1") == nil)
        #expect(table.brokers.isEmpty)
    }

    @Test func unregisteringRemovesTheBrokerThatAsksAndNoOther() {
        var table = RouteTable()
        _ = table.register(Self.registration(), now: Self.at(0))
        _ = table.register(Self.registration("broker-b"), now: Self.at(0))
        table.unregister(clusterName: "C1", brokerName: "broker-a", address: "old:1", brokerID: 0)
        #expect(Self.brokerNames(table, "T1") == ["broker-a", "broker-b"])
        table.unregister(clusterName: "C1", brokerName: "broker-a", address: "broker-a-0:10911", brokerID: 0)
        #expect(Self.brokerNames(table, "T1") == ["broker-b"])
    }

    @Test func wipingAndAddingTheWritePermissionCountTopics() {
        var table = RouteTable()
        _ = table.register(Self.registration(topics: ["T1", "T2"]), now: Self.at(0))
        _ = table.register(Self.registration("broker-b", topics: ["T1"]), now: Self.at(0))
        #expect(table.wipeWritePermission(ofBroker: "broker-a") == 2)
        #expect(table.route(of: "T1")?.queueDatas.map(\.perm) == [4, 6])
        // The same version again does not bring the permission back.
        _ = table.register(Self.registration(topics: ["T1", "T2"]), now: Self.at(1))
        #expect(table.route(of: "T2")?.queueDatas.map(\.perm) == [4])
        #expect(table.addWritePermission(ofBroker: "broker-a") == 2)
        #expect(table.route(of: "T2")?.queueDatas.map(\.perm) == [6])
        #expect(table.wipeWritePermission(ofBroker: "nobody") == 0)
    }

    @Test func aTopicIsDeletedEverywhereOrInOneCluster() {
        var table = RouteTable()
        _ = table.register(Self.registration(cluster: "C1"), now: Self.at(0))
        _ = table.register(Self.registration("broker-b", cluster: "C2"), now: Self.at(0))
        table.deleteTopic("T1", cluster: "C3")
        table.deleteTopic("T1", cluster: "C1")
        #expect(Self.brokerNames(table, "T1") == ["broker-b"])
        table.deleteTopic("T1", cluster: nil)
        #expect(table.allTopics() == [])
    }

    @Test func listsAreSortedAndFiltered() {
        var table = RouteTable()
        #expect(table.anyBrokerAddress() == nil)
        var unit = Self.registration("broker-b", cluster: "C2", topics: ["U"])
        unit.topics[0].topicSysFlag = 3
        _ = table.register(unit, now: Self.at(0))
        _ = table.register(Self.registration(topics: ["B", "A"]), now: Self.at(0))
        #expect(table.allTopics() == ["A", "B", "U"])
        #expect(table.clusterAndBrokerNames() == ["C1", "C2", "broker-a", "broker-b"])
        #expect(table.anyBrokerAddress() == "broker-a-0:10911")
        #expect(table.topics { $0.isUnit } == ["U"])
        #expect(table.topics { $0.isSubscribedByUnits && !$0.isUnit } == [])
    }

    /// Whatever happens in whatever order, no table keeps a broker that the others do not know.
    @Test func tablesStayConsistentThroughRandomEvents() {
        var generator = SeededGenerator()
        for _ in 0..<200 {
            var table = RouteTable(brokerTimeout: .seconds(120))
            var now: Int64 = 0
            for _ in 0..<60 {
                now += Int64.random(in: 0...50, using: &generator)
                Self.act(on: &table, at: Self.at(now), using: &generator)
                Self.check(table)
            }
            _ = table.expire(now: Self.at(now + 1000))
            #expect(table.brokers.isEmpty)
            #expect(table.topics.isEmpty)
            #expect(table.clusters.isEmpty)
        }
    }

    private static func act(on table: inout RouteTable, at now: Timestamp, using generator: inout SeededGenerator) {
        let name = ["a", "b", "c"].randomElement(using: &generator) ?? "a"
        let id = Int64.random(in: 0...2, using: &generator)
        let cluster = ["C1", "C2"].randomElement(using: &generator) ?? "C1"
        switch Int.random(in: 0..<8, using: &generator) {
        case 0...3:
            let topics = ["T1", "T2", "T3"].filter { _ in Bool.random(using: &generator) }
            let version = Int64.random(in: 1...3, using: &generator)
            let connection = UInt64.random(in: 1...4, using: &generator)
            _ = table.register(
                registration(name, id: id, cluster: cluster, version: version, topics: topics, connection: connection),
                now: now)
        case 4: table.unregister(clusterName: cluster, brokerName: name, address: "\(name)-\(id):10911", brokerID: id)
        case 5: _ = table.connectionLost(UInt64.random(in: 1...4, using: &generator))
        case 6: _ = table.expire(now: now)
        default: table.deleteTopic("T1", cluster: Bool.random(using: &generator) ? cluster : nil)
        }
    }

    private static func check(_ table: RouteTable) {
        let addresses = Set(table.brokers.values.flatMap(\.addresses.values))
        #expect(addresses == Set(table.live.keys))
        #expect(table.brokers.values.allSatisfy { !$0.addresses.isEmpty })
        #expect(Set(table.clusters.values.flatMap { $0 }) == Set(table.brokers.keys))
        #expect(table.clusters.values.allSatisfy { !$0.isEmpty })
        for queues in table.topics.values {
            #expect(!queues.isEmpty)
            #expect(queues.keys.allSatisfy { table.brokers[$0] != nil })
        }
    }
}
