import Testing

@testable import MQProtocol

@Suite struct NameTests {
    @Test(arguments: [
        ("", "The specified topic is blank."), (" \t", "The specified topic is blank."),
        ("a b", "The specified topic contains illegal characters, allowing only ^[%|a-zA-Z0-9_-]+$"),
        ("主题", "The specified topic contains illegal characters, allowing only ^[%|a-zA-Z0-9_-]+$"),
        ("a.b", "The specified topic contains illegal characters, allowing only ^[%|a-zA-Z0-9_-]+$"),
        (String(repeating: "t", count: 128), "The specified topic is longer than topic max length."),
    ])
    func refusesATopic(name: String, remark: String) {
        #expect(TopicName.remark(refusing: name) == remark)
    }

    @Test func acceptsTopicsAndGroups() {
        for name in ["T", "%RETRY%group-1", "a|b_c", String(repeating: "t", count: 127)] {
            #expect(TopicName.remark(refusing: name) == nil)
            #expect(GroupName.remark(refusing: name) == nil)
        }
        #expect(GroupName.remark(refusing: String(repeating: "g", count: 255)) == nil)
        #expect(GroupName.remark(refusing: String(repeating: "g", count: 256)) != nil)
        #expect(GroupName.remark(refusing: "") != nil)
        #expect(GroupName.remark(refusing: "a b") != nil)
    }

    @Test func derivesTheTopicsOfAGroup() {
        #expect(TopicName.retry(group: "g") == "%RETRY%g")
        #expect(TopicName.deadLetter(group: "g") == "%DLQ%g")
        #expect(TopicName.group(of: "%RETRY%g") == "g")
        #expect(TopicName.group(of: "%DLQ%g") == "g")
        #expect(TopicName.group(of: "g") == nil)
        #expect(GroupName.maximumConsumerLength == 120)
    }

    @Test func knowsSystemTopics() {
        for topic in [
            "TBW102", "SCHEDULE_TOPIC_XXXX", "BenchmarkTest", "RMQ_SYS_TRANS_HALF_TOPIC", "RMQ_SYS_TRACE_TOPIC",
            "RMQ_SYS_TRANS_OP_HALF_TOPIC", "TRANS_CHECK_MAX_TIME_TOPIC", "SELF_TEST_TOPIC", "OFFSET_MOVED_EVENT",
            "rmq_sys_anything",
        ] { #expect(SystemTopic.contains(topic)) }
        #expect(!SystemTopic.contains("TopicTest"))
        #expect(!SystemTopic.contains("broker-a"))
        #expect(SystemTopic.contains("broker-a", cluster: "c", broker: "broker-a"))
        #expect(SystemTopic.contains("c", cluster: "c", broker: "b"))
        #expect(SystemTopic.contains("c_REPLY_TOPIC", cluster: "c", broker: "b"))
    }

    @Test func knowsWhereSendingIsForbidden() {
        let forbidden = [
            "SCHEDULE_TOPIC_XXXX", "RMQ_SYS_TRANS_HALF_TOPIC", "RMQ_SYS_TRANS_OP_HALF_TOPIC",
            "TRANS_CHECK_MAX_TIME_TOPIC", "SELF_TEST_TOPIC", "OFFSET_MOVED_EVENT",
        ]
        for topic in forbidden { #expect(SystemTopic.forbidsSending(topic)) }
        for topic in ["TBW102", "BenchmarkTest", "RMQ_SYS_TRACE_TOPIC", "T"] {
            #expect(!SystemTopic.forbidsSending(topic))
        }
    }

    @Test func extensionsAreListedOnce() {
        let all = ProtocolExtension.all
        #expect(Set(all.map(\.name)).count == all.count)
        for entry in all {
            #expect(!PropertyName.reserved.contains(entry.name))
            #expect(!entry.meaning.isEmpty && !entry.stockPeer.isEmpty)
        }
    }
}
