public import MQProtocol
import MQRemoting

/// RocketMQ's names for the configuration.
extension NameServerConfiguration {
    /// Takes over every entry that is known here.
    /// - Returns: what a person should look at: entries that mean nothing here, and the file's own warnings.
    /// - Throws: `configuration` naming key, value and line.
    public mutating func apply(_ properties: PropertiesFile) throws(NameServerError) -> [String] {
        var warnings = properties.warnings.map(\.description)
        for entry in properties.entries {
            if let item = Self.items.first(where: { $0.key == entry.key }) {
                guard item.set(&self, entry.value) else {
                    let message = "\(entry.key)=\(entry.value) (line \(entry.line)) cannot be used: \(item.expectation)"
                    throw NameServerError(.configuration, message)
                }
            } else if !Self.keysWithoutEffect.contains(entry.key) {
                warnings.append("line \(entry.line): \(entry.key) is not known and has no effect")
            }
        }
        return warnings
    }

    /// All settings under RocketMQ's names, sorted; what `-p` prints and GET_NAMESRV_CONFIG answers.
    public var properties: PropertiesFile {
        var file = PropertiesFile()
        for item in Self.items.sorted(by: { $0.key < $1.key }) {
            file[item.key] = item.get(self)
        }
        return file
    }

    /// Keys that UPDATE_NAMESRV_CONFIG may change. An allow-list: a path, an address or a certificate never comes from
    /// the network.
    static let changeableKeys: Set<String> = ["orderMessageEnable"]

    private struct Item: Sendable {
        var key: String
        var expectation: String
        var get: @Sendable (NameServerConfiguration) -> String?
        /// Returns false when the text is no such value.
        var set: @Sendable (inout NameServerConfiguration, String) -> Bool
    }

    private static let items: [Item] = [
        number("listenPort", 0...65535, get: { $0.server.port }, set: { $0.server.port = $1 }),
        text("bindAddress", get: { $0.server.host }, set: { $0.server.host = $1 ?? "127.0.0.1" }),
        text("kvConfigPath", get: { $0.keyValueFile }, set: { $0.keyValueFile = $1 ?? "" }),
        boolean(
            "orderMessageEnable",
            get: { $0.attachesOrderConfiguration },
            set: { $0.attachesOrderConfiguration = $1 }
        ),
        text(
            "configBlackList",
            get: { $0.protectedKeys.joined(separator: ";") },
            set: { $0.protectedKeys = ($1 ?? "").split(separator: ";").map(String.init) }
        ),
        number("serverWorkerThreads", 1...1024, get: { $0.threads }, set: { $0.threads = $1 }),
        number("serverSocketBacklog", 1...65535, get: { $0.server.backlog }, set: { $0.server.backlog = $1 }),
        number(
            "serverChannelMaxIdleTimeSeconds",
            1...86_400,
            get: { Int($0.server.connection.idleTimeout.components.seconds) },
            set: { $0.server.connection.idleTimeout = .seconds($1) }
        ),
        Item(
            key: "tls.server.mode",
            expectation: "use disabled, permissive or enforcing",
            get: { $0.server.tls.mode.rawValue },
            set: { configuration, text in
                guard let mode = ServerTLS.Mode(rawValue: text) else { return false }
                configuration.server.tls.mode = mode
                return true
            }
        ),
        text(
            "tls.server.certPath", get: { $0.server.tls.certificateFile }, set: { $0.server.tls.certificateFile = $1 }),
        text("tls.server.keyPath", get: { $0.server.tls.privateKeyFile }, set: { $0.server.tls.privateKeyFile = $1 }),
        text(
            "tls.server.trustCertPath",
            get: { $0.server.tls.clientAuthorityFile },
            set: { $0.server.tls.clientAuthorityFile = $1 }
        ),
    ]

    /// Known to stock name servers, accepted so that their files can be used unchanged.
    private static let keysWithoutEffect: Set<String> = [
        "rocketmqHome", "configStorePath", "productEnvName", "clusterTest", "serverCallbackExecutorThreads",
        "serverSelectorThreads",
        "serverOnewaySemaphoreValue", "serverAsyncSemaphoreValue", "serverSocketSndBufSize", "serverSocketRcvBufSize",
        "writeBufferHighWaterMark", "writeBufferLowWaterMark", "serverPooledByteBufAllocatorEnable",
        "useEpollNativeSelector", "namesrvAddr",
    ]

    private static func number(
        _ key: String,
        _ range: ClosedRange<Int>,
        get: @escaping @Sendable (NameServerConfiguration) -> Int,
        set: @escaping @Sendable (inout NameServerConfiguration, Int) -> Void
    ) -> Item {
        Item(
            key: key,
            expectation: "use a number from \(range.lowerBound) to \(range.upperBound)",
            get: { "\(get($0))" },
            set: { configuration, text in
                guard let value = Int(text), range.contains(value) else { return false }
                set(&configuration, value)
                return true
            }
        )
    }

    private static func boolean(
        _ key: String,
        get: @escaping @Sendable (NameServerConfiguration) -> Bool,
        set: @escaping @Sendable (inout NameServerConfiguration, Bool) -> Void
    ) -> Item {
        Item(
            key: key,
            expectation: "use true or false",
            get: { "\(get($0))" },
            set: { configuration, text in
                guard let value = Bool(text.lowercased()) else { return false }
                set(&configuration, value)
                return true
            }
        )
    }

    /// An empty text means none.
    private static func text(
        _ key: String,
        get: @escaping @Sendable (NameServerConfiguration) -> String?,
        set: @escaping @Sendable (inout NameServerConfiguration, String?) -> Void
    ) -> Item {
        Item(
            key: key,
            expectation: "use a text",
            get: get,
            set: { configuration, text in
                set(&configuration, text.isEmpty ? nil : text)
                return true
            }
        )
    }
}
