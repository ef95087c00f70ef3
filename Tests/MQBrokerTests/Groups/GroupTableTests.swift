import MQProtocol
import NIOCore
import Testing

@testable import MQBroker

@Suite("The group table")
struct GroupTableTests {
    private let support = TableSupport()

    @Test("Preset groups are there; unknown ones are created where that is allowed")
    func automaticGroups() throws {
        let open = try support.groups(BrokerSettings(BrokerConfiguration()))
        #expect(open.find("SELF_TEST_C_GROUP") != nil)
        #expect(open.find("G") == nil)
        #expect(open.findOrCreate("G")?.retryMaxTimes == 16)
        #expect(open.find("G") != nil)

        var configuration = BrokerConfiguration()
        configuration.topics.createGroups = false
        let closed = try support.groups(BrokerSettings(configuration))
        #expect(closed.findOrCreate("Other") == nil)
        #expect(closed.findOrCreate("CID_RMQ_SYS_TRANS") != nil)
    }

    @Test("A name that cannot be part of a topic creates nothing", arguments: ["", "../../x", "a b", "g@t"])
    func hostileNames(name: String) throws {
        let groups = try support.groups(BrokerSettings(BrokerConfiguration()))
        #expect(groups.findOrCreate(name) == nil)
    }

    @Test("The file has RocketMQ's form to the byte")
    func fileFormat() throws {
        let version = DataVersion(counter: 6, timestamp: Timestamp(milliseconds: 1_795_225_831_672))
        let group = SubscriptionGroupConfig(groupName: "SELF_TEST_C_GROUP")
        let expected = """
            {
            \t"dataVersion":{
            \t\t"counter":6,
            \t\t"timestamp":1795225831672
            \t},
            \t"subscriptionGroupTable":{
            \t\t"SELF_TEST_C_GROUP":{
            \t\t\t"brokerId":0,
            \t\t\t"consumeBroadcastEnable":true,
            \t\t\t"consumeEnable":true,
            \t\t\t"consumeFromMinEnable":true,
            \t\t\t"groupName":"SELF_TEST_C_GROUP",
            \t\t\t"notifyConsumerIdsChangedEnable":true,
            \t\t\t"retryMaxTimes":16,
            \t\t\t"retryQueueNums":1,
            \t\t\t"whichBrokerWhenConsumeSlowly":1
            \t\t}
            \t}
            }
            """
        #expect(String(buffer: GroupFile(version: version, groups: [group]).text) == expected)
    }

    @Test("Changes survive a restart, deletions too")
    func persistence() async throws {
        let settings = BrokerSettings(BrokerConfiguration())
        let groups = try support.groups(settings)
        var group = SubscriptionGroupConfig(groupName: "G")
        group.retryMaxTimes = 3
        groups.update(group)
        groups.update(SubscriptionGroupConfig(groupName: "H"))
        groups.delete("H")
        try await groups.persisted(on: support.eventLoop).get()
        let again = try support.groups(settings)
        #expect(again.find("G") == group)
        #expect(again.find("H") == nil)
    }
}
