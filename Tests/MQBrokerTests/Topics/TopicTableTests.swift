import MQProtocol
import MQStore
import NIOCore
import Synchronization
import Testing

@testable import MQBroker

@Suite("The topic table")
struct TopicTableTests {
    private let support = TableSupport()

    private func table(_ change: (inout BrokerConfiguration) -> Void = { _ in }) throws -> TopicTable {
        var configuration = BrokerConfiguration()
        configuration.clusterName = "FactsCluster"
        configuration.brokerName = "broker-a"
        change(&configuration)
        return try support.topics(BrokerSettings(configuration))
    }

    @Test("A loop that remembers topics does not find one that was deleted, and finds the one that takes its place")
    func lookupAfterDeletion() throws {
        let topics = try table()
        let request = try Self.request(topic: "Orders")
        var lookup = TopicLookup()
        #expect(lookup.find(request, in: topics) == nil)
        let first = topics.update(TopicConfig(topicName: "Orders"))
        #expect(lookup.find(request, in: topics) === first)
        for number in 0..<20 {
            let other = topics.update(TopicConfig(topicName: "Other\(number)"))
            #expect(lookup.find(try Self.request(topic: "Other\(number)"), in: topics) === other)
        }
        topics.delete("Orders")
        #expect(lookup.find(request, in: topics) == nil)
        let second = topics.update(TopicConfig(topicName: "Orders"))
        #expect(lookup.find(request, in: topics) === second)
    }

    private static func request(topic: String) throws -> SendRequest {
        var buffer = ByteBuffer()
        let header = SendMessageHeader(producerGroup: "G", topic: topic, queueID: 0, bornTimestamp: .zero)
        buffer.writeRequest(.sendMessageV2, opaque: 1, header: header)
        var decoder = FrameDecoder()
        return try SendRequest(try #require(try decoder.next(from: &buffer)).fields)
    }

    @Test("The broker's own topics are there from the start")
    func systemTopics() throws {
        let topics = try table()
        #expect(topics.find("TBW102")?.config.perm == 7)
        #expect(topics.find("TBW102")?.config.writeQueueNums == 8)
        #expect(topics.find("FactsCluster")?.config.readQueueNums == 16)
        #expect(topics.find("broker-a")?.config.perm == 7)
        #expect(topics.find("SCHEDULE_TOPIC_XXXX")?.config.writeQueueNums == 18)
        #expect(topics.find("BenchmarkTest")?.config.writeQueueNums == 1024)
        #expect(topics.find("FactsCluster_REPLY_TOPIC")?.config.writeQueueNums == 1)
        #expect(topics.find("RMQ_SYS_TRACE_TOPIC") == nil)
        let quiet = try table {
            $0.topics.createOnSend = false
            $0.topics.brokerTopic = false
        }
        #expect(quiet.find("TBW102") == nil)
        #expect(quiet.find("broker-a")?.config.perm == 1)
    }

    @Test("A change is in force at once and on disk when the table says so")
    func persistence() async throws {
        let topics = try table()
        let before = topics.dataVersion
        let created = try #require(topics.createForSend("Orders", template: "TBW102", queueCount: 4, unit: false))
        #expect(created.config.writeQueueNums == 4)
        #expect(topics.dataVersion.counter == before.counter + 1)
        try await topics.persisted(on: support.eventLoop).get()

        let again = try table()
        #expect(again.find("Orders")?.config == created.config)
        #expect(again.dataVersion == topics.dataVersion)
    }

    @Test("A topic's entry in the file has RocketMQ's form to the byte")
    func fileFormat() throws {
        let config = TopicConfig(topicName: "TopicTx", readQueueNums: 4, writeQueueNums: 4)
        let version = DataVersion(counter: 13, timestamp: Timestamp(milliseconds: 1_795_226_077_556))
        let expected = """
            {
            \t"dataVersion":{
            \t\t"counter":13,
            \t\t"timestamp":1795226077556
            \t},
            \t"topicConfigTable":{
            \t\t"TopicTx":{
            \t\t\t"order":false,
            \t\t\t"perm":6,
            \t\t\t"readQueueNums":4,
            \t\t\t"topicFilterType":"SINGLE_TAG",
            \t\t\t"topicName":"TopicTx",
            \t\t\t"topicSysFlag":0,
            \t\t\t"writeQueueNums":4
            \t\t}
            \t}
            }
            """
        let text = TopicFile(version: version, topics: [config]).text
        #expect(String(buffer: text) == expected)
        let read = try TopicFile(parsing: text)
        #expect(read.topics == [config])
        #expect(read.version == version)
    }

    @Test("A file with a name that would leave the store's directory is read without it")
    func hostileName() throws {
        let text = """
            {"topicConfigTable":{"../../etc":{"topicName":"../../etc"},"Good":{"topicName":"Good"}}}
            """
        #expect(try TopicFile(parsing: ByteBuffer(string: text)).topics.map(\.topicName) == ["Good"])
    }

    @Test("An update keeps the order flag, which is the name servers' to say")
    func orderFlag() throws {
        let topics = try table()
        topics.update(TopicConfig(topicName: "Orders", readQueueNums: 2, writeQueueNums: 2))
        topics.setOrderTopics(["Orders"])
        #expect(topics.find("Orders")?.isOrder == true)
        topics.update(TopicConfig(topicName: "Orders", readQueueNums: 3, writeQueueNums: 3))
        #expect(topics.find("Orders")?.isOrder == true)
        #expect(topics.find("Orders")?.config.readQueueNums == 3)
        let version = topics.dataVersion
        topics.setOrderTopics(["Orders"])
        #expect(topics.dataVersion == version)
        topics.setOrderTopics([])
        #expect(topics.find("Orders")?.isOrder == false)
    }

    @Test("Who registers the topics hears of every change, and of nothing else")
    func observation() throws {
        let topics = try table()
        let counter = Counter()
        topics.observe(
            TopicTable.Observer(changed: { counter.increment() }, announced: { $0.makeSucceededVoidFuture() })
        )
        topics.ensure("%RETRY%G", queues: 1)
        topics.ensure("%RETRY%G", queues: 1)
        topics.delete("%RETRY%G")
        topics.delete("%RETRY%G")
        #expect(counter.value == 2)
    }

    @Test("A queue is asked for once, and a number from the wire sizes no array")
    func queueCache() throws {
        let counter = Counter()
        let topic = Topic(TopicConfig(topicName: "T")) { name, id in
            counter.increment()
            return QueueRef(topic: name, queueID: id, index: 0)
        }
        #expect(topic.queue(3) === topic.queue(3))
        #expect(counter.value == 1)
        #expect(topic.queue(.max).queueID == .max)
        #expect(topic.queue(-1).queueID == -1)
    }
}

private final class Counter: Sendable {
    private let count = Mutex(0)
    var value: Int { count.withLock { $0 } }
    func increment() { count.withLock { $0 += 1 } }

    @Test("Whoever uses a new topic waits until it is on disk, whichever thread brought it")
    func savingOfNewTopics() async throws {
        let support = TableSupport()
        let topics = try support.topics(BrokerSettings(BrokerConfiguration()))
        try await withThrowingTaskGroup { group in
            for user in 0..<4 {
                group.addTask {
                    for number in 0..<50 {
                        let name = "T\(number)"
                        let topic = try #require(
                            topics.createForSend(name, template: "TBW102", queueCount: 1, unit: false))
                        try await topics.saving(of: topic, on: support.eventLoop)?.get()
                        let file = try support.contents("topics.json") ?? ""
                        #expect(file.contains("\"\(name)\""), "user \(user)")
                        #expect(topics.saving(of: topic, on: support.eventLoop) == nil)
                    }
                }
            }
            try await group.waitForAll()
        }
    }

    @Test("A topic whose file could not be written is not taken for saved; the next user has it tried again")
    func savingFails() async throws {
        let support = TableSupport()
        let topics = try support.topics(BrokerSettings(BrokerConfiguration()))
        support.device.fail(.write, permanently: true)
        let topic = try #require(topics.createForSend("T", template: "TBW102", queueCount: 1, unit: false))
        let saving = try #require(topics.saving(of: topic, on: support.eventLoop))
        await #expect(throws: StoreError.self) { try await saving.get() }
        support.device.clearFaults()
        try await topics.saving(of: topic, on: support.eventLoop)?.get()
        #expect(try support.contents("topics.json")?.contains("\"T\"") == true)
    }
}
