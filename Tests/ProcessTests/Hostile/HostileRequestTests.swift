import Foundation
import MQProtocol
import NIOCore
import ProcessSupport
import Testing

extension ProcessTests {
    @Suite("Requests that reach for files")
    struct HostileRequestTests {
        @Test("Names with path tricks are refused and leave no file", .timeLimit(.minutes(1)))
        func names() async throws {
            try await Victim.with(.broker) { victim in
                let absolute = victim.directory + "/evil"
                let names = [
                    "../escape", "..", ".", "../../escape", "a/b", "a/../../b", absolute, "nul\u{0}byte", "a\\b",
                    "line\nbreak", "\u{FC}mlaut", String(repeating: "x", count: 128), "",
                ]
                let known = Set(StoreFiles.all(in: victim.directory + "/store/consumequeue"))
                for name in names { try await Self.tryName(name, on: victim.client) }
                let outside = StoreFiles.all(in: victim.directory).filter { !$0.hasPrefix("store") }
                #expect(outside == [])
                let queues = Set(StoreFiles.all(in: victim.directory + "/store/consumequeue"))
                #expect(
                    queues.subtracting(known).allSatisfy { $0.hasPrefix("Victim") || $0.contains("%") }, "\(queues)")
                let groups = StoreFiles.all(in: victim.directory + "/store").filter { $0.contains("escape") }
                #expect(groups == [])
            }
        }

        /// Uses a name as topic and as group in every request that could make a file of it.
        private static func tryName(_ name: String, on client: RawClient) async throws {
            let send = try await client.send(Payload.message(1, to: QueueName(name, 0)))
            #expect(send.code != .success, "a message was sent to \(name.debugDescription)")
            let create = try await client.request(.updateAndCreateTopic, RawClient.topicFields(name, queues: 1))
            #expect(create.responseCode != .success, "topic \(name.debugDescription) was created")
            let queue = [("topic", name), ("queueId", "0")]
            for code in [RequestCode.getMaxOffset, .getMinOffset, .getEarliestMessageStoreTime, .getTopicStatsInfo] {
                _ = try await client.request(code, queue)
            }
            _ = try await client.request(.searchOffsetByTimestamp, queue + [("timestamp", "0")])
            _ = try await client.pull(QueueName(name, 0), from: 0)
            let group = [("consumerGroup", name), ("topic", "Victim"), ("queueId", "0")]
            _ = try await client.request(.updateConsumerOffset, group + [("commitOffset", "1")])
            _ = try await client.request(
                .updateConsumerOffset, queue + [("consumerGroup", "g"), ("commitOffset", "1")])
            _ = try await client.request(
                .consumerSendMessageBack,
                [("offset", "0"), ("group", name), ("delayLevel", "-1"), ("originTopic", name)])
            _ = try await client.request(.deleteTopicInBroker, [("topic", name)])
            let escaped = name.replacingOccurrences(of: "\\", with: "\\\\").replacingOccurrences(of: "\n", with: "\\n")
                .replacingOccurrences(of: "\u{0}", with: "\\u0000")
            let configuration = ByteBuffer(string: #"{"groupName":"\#(escaped)","retryQueueNums":1}"#)
            _ = try await client.request(.updateAndCreateSubscriptionGroup, body: configuration)
            _ = try await client.request(.deleteSubscriptionGroup, [("groupName", name), ("removeOffset", "true")])
        }

        /// CVE-2023-33246: a broker's configuration, changed over the wire, became a command line.
        @Test("A broker's configuration cannot be turned into a command or a file", .timeLimit(.minutes(1)))
        func brokerConfiguration() async throws {
            try await Victim.with(.broker) { victim in
                let marker = victim.directory + "/marker"
                let bodies = [
                    "filterServerNums=1\nrocketmqHome=-c $@|sh . echo touch \(marker);\n",
                    "rocketmqHome=-c $@|sh . echo touch \(marker);\nfilterServerNums=1\nnamesrvAddr=127.0.0.1:1\n",
                    "brokerConfigPath=\(marker)\nbrokerName=evil\n",
                    "brokerName=evil\nbrokerConfigPath=\(marker)\n",
                ]
                for body in bodies {
                    let answer = try await victim.client.request(.updateBrokerConfig, body: ByteBuffer(string: body))
                    #expect(answer.responseCode == .noPermission, "\(body) was answered \(answer.responseCode)")
                }
                let silent =
                    "storePathRootDir=\(marker)\nstorePathCommitLog=\(marker)\nstorePathConsumeQueue=\(marker)\n"
                _ = try await victim.client.request(.updateBrokerConfig, body: ByteBuffer(string: silent))
                try await victim.client.createTopic("AfterTheAttack", queues: 1)
                try await victim.roundTrip()
                #expect(!FileManager.default.fileExists(atPath: marker))
                let outside = StoreFiles.all(in: victim.directory).filter { !$0.hasPrefix("store") }
                #expect(outside == [])
            }
        }

        /// CVE-2023-37582: a name server's configuration, changed over the wire, was written to any file.
        @Test("A name server's configuration cannot be turned into a file", .timeLimit(.minutes(1)))
        func nameServerConfiguration() async throws {
            try await Victim.with(.nameServer) { victim in
                let marker = victim.directory + "/marker"
                let bodies = [
                    "configStorePath=\(marker)\nproductEnvName=evil\n",
                    "productEnvName=evil\nconfigStorePath=\(marker)\n",
                    "kvConfigPath=\(marker)\n", "rocketmqHome=\(marker)\n",
                    "configBlackList=\nconfigStorePath=\(marker)\n",
                ]
                for body in bodies {
                    let answer = try await victim.client.request(
                        .updateNameServerConfig, body: ByteBuffer(string: body))
                    #expect(answer.responseCode == .noPermission, "\(body) was answered \(answer.responseCode)")
                }
                for name in ["../escape", marker, "n"] {
                    let fields = [("namespace", name), ("key", name), ("value", "v")]
                    _ = try await victim.client.request(.putKVConfig, fields)
                }
                let names = StoreFiles.all(in: victim.directory)
                #expect(
                    Set(names).isSubset(of: ["namesrv.properties", "kvConfig.json", "kvConfig.json.bak"]), "\(names)")
            }
        }
    }
}
