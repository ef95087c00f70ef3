import MQProtocol
import Testing

@testable import MQBroker

@Suite("A send creates its topic")
struct AutomaticTopicTests {
    private let template = TopicConfig(topicName: "TBW102", readQueueNums: 8, writeQueueNums: 8, perm: 7)

    private func create(
        _ name: String = "T", template: TopicConfig?, queueCount: Int32 = 4, unit: Bool = false, isEnabled: Bool = true
    ) -> TopicConfig? {
        AutomaticTopic.config(name, template: template, queueCount: queueCount, unit: unit, isEnabled: isEnabled)
    }

    @Test("The smaller count wins, and the inherit bit stays behind")
    func inheritsFromTemplate() {
        let config = create(template: template)
        #expect(config?.readQueueNums == 4)
        #expect(config?.writeQueueNums == 4)
        #expect(config?.perm == 6)
        #expect(create(template: template, queueCount: 100)?.writeQueueNums == 8)
    }

    @Test("A negative queue count makes no negative topic")
    func negativeCount() {
        #expect(create(template: template, queueCount: -3)?.writeQueueNums == 0)
    }

    @Test("Switched off, the template creates nothing; another inheritable topic still does")
    func switchedOff() {
        #expect(create(template: template, isEnabled: false) == nil)
        let cluster = TopicConfig(topicName: "DefaultCluster", perm: 7)
        #expect(create(template: cluster, isEnabled: false)?.writeQueueNums == 4)
    }

    @Test("Without a template, or one that may be inherited, nothing is created")
    func noTemplate() {
        #expect(create(template: nil) == nil)
        #expect(create(template: TopicConfig(topicName: "Other", perm: 6)) == nil)
    }

    @Test("A retry topic needs no template: one queue, readable and writable")
    func retryTopic() {
        let config = create("%RETRY%G", template: nil, unit: true)
        #expect(config?.readQueueNums == 1)
        #expect(config?.perm == 6)
        #expect(config?.topicSysFlag == 2)
    }

    @Test("A unit's topic is marked")
    func unit() {
        #expect(create(template: template, unit: true)?.topicSysFlag == 1)
    }
}
