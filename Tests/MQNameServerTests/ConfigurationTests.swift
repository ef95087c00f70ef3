import MQProtocol
import MQRemoting
import Testing

@testable import MQNameServer

@Suite struct ConfigurationTests {
    @Test func readsTheFileOfAStockNameServer() throws {
        var configuration = NameServerConfiguration()
        let warnings = try configuration.apply(
            PropertiesFile(
                parsing: """
                    rocketmqHome=/opt/rocketmq
                    listenPort=19876
                    orderMessageEnable=TRUE
                    serverSelectorThreads=3
                    serverChannelMaxIdleTimeSeconds=60
                    configBlackList=configBlackList;orderMessageEnable
                    kvConfigPath=/data/kv.json
                    tls.server.mode=enforcing
                    """
            )
        )
        #expect(warnings == [])
        #expect(configuration.server.port == 19876)
        #expect(configuration.attachesOrderConfiguration)
        #expect(configuration.server.connection.idleTimeout == .seconds(60))
        #expect(configuration.protectedKeys == ["configBlackList", "orderMessageEnable"])
        #expect(configuration.keyValueFile == "/data/kv.json")
        #expect(configuration.server.tls.mode == .enforcing)
        #expect(configuration.server.host == "127.0.0.1")
    }

    @Test func unknownKeysAreReported() throws {
        var configuration = NameServerConfiguration()
        let warnings = try configuration.apply(PropertiesFile(parsing: "\nlistenprot=1"))
        #expect(warnings.count == 1)
        #expect(warnings.first?.contains("listenprot") == true)
        #expect(warnings.first?.contains("line 2") == true)
    }

    @Test(arguments: [
        "listenPort=x", "listenPort=65536", "listenPort=-1", "orderMessageEnable=yes", "tls.server.mode=on",
    ])
    func aValueThatCannotBeUsedIsNamed(line: String) {
        var configuration = NameServerConfiguration()
        #expect { try configuration.apply(PropertiesFile(parsing: line)) } throws: { error in
            let error = error as? NameServerError
            return error?.code == .configuration && error?.message.contains(line) == true
        }
    }

    @Test func theListingReadsBack() throws {
        var configuration = NameServerConfiguration()
        configuration.server.port = 1234
        configuration.attachesOrderConfiguration = true
        configuration.server.tls.certificateFile = "/etc/cert.pem"
        var again = NameServerConfiguration()
        #expect(try again.apply(PropertiesFile(parsing: configuration.properties.text)) == [])
        #expect(again.properties == configuration.properties)
        #expect(again.server.port == 1234)
    }

    @Test func noKeyThatNamesAPathOrAnAddressMayBeChangedFromOutside() {
        let dangerous = [
            "kvConfigPath", "configStorePath", "bindAddress", "listenPort", "rocketmqHome", "configBlackList",
        ]
        for key in dangerous + ["tls.server.certPath", "tls.server.keyPath"] {
            #expect(!NameServerConfiguration.changeableKeys.contains(key), "\(key)")
        }
    }
}
