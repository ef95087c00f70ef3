import MQProtocol
import MQRemoting
import MQStore
import Testing

@testable import MQBroker

@Suite("Reading RocketMQ's properties files")
struct PropertiesTests {
    private func load(_ text: String) throws -> (BrokerConfiguration, PropertiesReport) {
        var configuration = BrokerConfiguration()
        let report = try configuration.apply(PropertiesFile(parsing: text), named: "broker.conf")
        return (configuration, report)
    }

    private static func stockFile(name: String, id: Int, role: String) -> String {
        """
        brokerClusterName=DefaultCluster
        brokerName=\(name)
        brokerId=\(id)
        deleteWhen=04
        fileReservedTime=48
        brokerRole=\(role)
        flushDiskType=ASYNC_FLUSH
        """
    }

    @Test(
        "The sets that RocketMQ ships load unchanged",
        arguments: [
            ("broker-a", 0, "SYNC_MASTER"), ("broker-a", 1, "SLAVE"), ("broker-b", 0, "ASYNC_MASTER"),
            ("broker-trace", 0, "ASYNC_MASTER"),
        ])
    func shippedFiles(name: String, id: Int, role: String) throws {
        let (configuration, report) = try load(Self.stockFile(name: name, id: id, role: role))
        #expect(configuration.brokerName == name)
        #expect(configuration.brokerID == Int64(id))
        #expect(configuration.role.rawValue == role)
        #expect(!configuration.storage.synchronousFlush)
        #expect(configuration.storage.deleteHours == [4])
        #expect(configuration.storage.retention == .seconds(48 * 3600))
        #expect(report.lines.isEmpty)
    }

    @Test("Without a word about flushing, messages are flushed before they are acknowledged")
    func flushDefault() throws {
        #expect(try load("brokerName=a").0.storage.synchronousFlush)
    }

    @Test("Certificates and the share of memory are read from the file; both listeners get them")
    func certificates() throws {
        let (configuration, report) = try load(
            "tls.server.mode=enforcing\ntls.server.certPath=/c.pem\ntls.server.keyPath=/k.pem\n"
                + "tls.server.trustCertPath=/ca.pem\naccessMessageInMemoryMaxRatio=10\n")
        #expect(report.lines.isEmpty)
        let tls = configuration.serverConfiguration(port: configuration.network.fastPort).tls
        #expect(tls == configuration.network.tls)
        #expect(tls.mode == .enforcing && tls.certificateFile == "/c.pem" && tls.privateKeyFile == "/k.pem")
        #expect(tls.clientAuthorityFile == "/ca.pem")
        #expect(configuration.storeConfiguration().diskDistance == PhysicalMemory.bytes / 100 * 10)
        #expect(throws: ConfigurationError.self) { try load("tls.server.mode=sometimes") }
        #expect(configuration.registrationClient.tls.isEnabled)
        #expect(!configuration.registrationClient.tls.verifiesServer)
    }

    @Test("Name servers are spoken to with TLS when the file says so")
    func registrationTLS() throws {
        #expect(try !load("tls.server.mode=permissive").0.registrationClient.tls.isEnabled)
        let text = "useTLS=true\ntls.client.trustCertPath=/ca.pem\ntls.client.certPath=/c\ntls.client.keyPath=/k\n"
        let tls = try load(text).0.registrationClient.tls
        #expect(tls.isEnabled && tls.verifiesServer && tls.authorityFile == "/ca.pem")
        #expect(tls.certificateFile == "/c" && tls.privateKeyFile == "/k")
    }

    @Test("Keys without effect are named in one line, unknown ones in another")
    func report() throws {
        let (configuration, report) = try load(
            "sendMessageThreadPoolNums=16\nuseReentrantLockWhenPutMessage=true\nmyOwnKey=1\n"
        )
        #expect(report.inertKeys == ["sendMessageThreadPoolNums", "useReentrantLockWhenPutMessage"])
        #expect(report.unknownKeys == ["myOwnKey"])
        #expect(report.lines.count == 2)
        #expect(configuration.inertValues["sendMessageThreadPoolNums"] == "16")
    }

    @Test("Disk limits and checksums reach the store")
    func storeKeys() throws {
        let standard = try load("").0.storeConfiguration()
        #expect(standard.diskFullRatio == 0.90)
        #expect(standard.forcedDeletionRatio == 0.85)
        #expect(standard.checksBodiesOnRecovery)
        #expect(!standard.appendsRecordChecksum)
        let (configuration, report) = try load(
            "diskSpaceWarningLevelRatio=80\ndiskSpaceCleanForciblyRatio=70\ncheckCRCOnRecover=false\n"
                + "enabledAppendPropCRC=true\n"
        )
        let store = configuration.storeConfiguration()
        #expect(store.diskFullRatio == 0.80)
        #expect(store.forcedDeletionRatio == 0.70)
        #expect(!store.checksBodiesOnRecovery)
        #expect(store.appendsRecordChecksum)
        #expect(report.lines.isEmpty)
    }

    @Test("Both spellings of mapped files are the same key")
    func spellings() throws {
        #expect(try load("mapedFileSizeCommitLog=1048576").0.storage.segmentBytes == 1_048_576)
        #expect(try load("mappedFileSizeCommitLog=1048576").0.storage.segmentBytes == 1_048_576)
        #expect(try load("mapedFileSizeConsumeQueue=30").0.storage.queueSegmentBytes == 40)
        #expect(try load("warmMappedFileEnable=true").1.unknownKeys.isEmpty)
    }

    @Test(
        "A value that cannot be used names key, value, file and line",
        arguments: [
            ("\nlistenPort=abc", "broker.conf, line 2: listenPort=abc"),
            ("autoCreateTopicEnable=yes", "line 1: autoCreateTopicEnable=yes"),
            ("brokerRole=MASTER", "brokerRole=MASTER"), ("flushDiskType=sync", "SYNC_FLUSH or ASYNC_FLUSH"),
            ("namesrvAddr=here", "127.0.0.1:9876"), ("deleteWhen=25", "deleteWhen=25"),
            ("messageDelayLevel=1s  5s", "messageDelayLevel"),
            ("sendMessageThreadPoolNums=many", "sendMessageThreadPoolNums"),
            ("listenPort=2", "listenPort=2"),
        ])
    func unusable(text: String, expected: String) throws {
        let error = #expect(throws: ConfigurationError.self) { try load(text) }
        #expect(error?.message.contains(expected) == true, "\(error?.message ?? "")")
    }

    @Test("What would be unsafe to ignore is refused", arguments: ["aclEnable=true", "enableDLegerCommitLog=true"])
    func unsupported(text: String) throws {
        let error = #expect(throws: ConfigurationError.self) { try load(text) }
        #expect(error?.code == .unsupported)
        #expect(throws: Never.self) { try load(text.replacing("true", with: "false")) }
    }

    @Test("A master's id is 0; a slave must have another")
    func identities() throws {
        #expect(try load("brokerRole=ASYNC_MASTER\nbrokerId=7").0.brokerID == 0)
        let error = #expect(throws: ConfigurationError.self) { try load("brokerRole=SLAVE\nbrokerId=0") }
        #expect(error?.message.contains("Slave's brokerId must be > 0") == true)
    }

    @Test("What is printed reads back as the same configuration")
    func printing() throws {
        var configuration = try load(Self.stockFile(name: "broker-a", id: 0, role: "SYNC_MASTER")).0
        configuration.nameServers = ["10.0.0.1:9876", "10.0.0.2:9876"]
        configuration.network.advertisedHost = "10.0.0.9"
        var again = BrokerConfiguration()
        _ = try again.apply(PropertiesFile(parsing: configuration.propertiesText()), named: "printed")
        configuration.inertValues = again.inertValues
        // What is printed is what is in force.
        configuration.registration.usesTLS = false
        #expect(again == configuration)
        let important = configuration.propertiesText(importantOnly: true)
        #expect(important.contains("brokerRole=SYNC_MASTER\n"))
        #expect(!important.contains("haTransferBatchSize"))
    }

    @Test("No key is known twice")
    func uniqueKeys() {
        let names = ConfigurationKeys.all.map(\.name)
        #expect(names.count == Set(names).count)
        #expect(names.count > 150)
    }
}

@Suite("Before a broker starts")
struct StartTests {
    private func prepared(
        _ interfaces: [String] = ["192.168.1.5"], _ change: (inout BrokerConfiguration) -> Void
    ) throws -> BrokerConfiguration {
        var configuration = BrokerConfiguration()
        change(&configuration)
        try configuration.prepareToStart(interfaces: interfaces)
        return configuration
    }

    @Test("A name server elsewhere and no address of our own: the line to add is in the message")
    func noAddress() throws {
        let error = #expect(throws: ConfigurationError.self) { try prepared { $0.nameServers = ["10.0.0.1:9876"] } }
        #expect(error?.message.contains("brokerIP1=192.168.1.5") == true)
        let alone = #expect(throws: ConfigurationError.self) { try prepared([]) { $0.nameServers = ["10.0.0.1:9876"] } }
        #expect(alone?.message.contains("brokerIP1=") == true)
    }

    @Test("A name server on this machine needs nothing", arguments: ["127.0.0.1:9876", "localhost:9876", "[::1]:9876"])
    func local(address: String) throws {
        let configuration = try prepared { $0.nameServers = [address] }
        #expect(configuration.network.advertisedHost == "127.0.0.1")
        #expect(configuration.network.boundHost == "127.0.0.1")
    }

    @Test("brokerIP1 opens the broker; so does listening everywhere")
    func opened() throws {
        let named = try prepared {
            $0.nameServers = ["10.0.0.1:9876"]
            $0.network.advertisedHost = "10.0.0.9"
        }
        #expect(named.network.boundHost == "0.0.0.0")
        let wildcard = try prepared {
            $0.nameServers = ["10.0.0.1:9876"]
            $0.network.listenHost = "0.0.0.0"
        }
        #expect(wildcard.network.advertisedHost == "192.168.1.5")
    }

    @Test("A slave loads, but does not start: it would be empty")
    func slave() throws {
        let error = #expect(throws: ConfigurationError.self) {
            try prepared {
                $0.role = .slave
                $0.brokerID = 1
            }
        }
        #expect(error?.code == .unsupported)
    }
}
