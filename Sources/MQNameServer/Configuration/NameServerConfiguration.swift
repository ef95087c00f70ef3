import Foundation
public import MQRemoting

/// How a name server listens, what it keeps and how long it believes in a silent broker.
public struct NameServerConfiguration: Sendable {
    /// Address, port, limits and TLS. Default: 127.0.0.1:9876.
    public var server: RemotingServerConfiguration
    /// A broker that did not register for longer is removed from all routes. Default: 120 s.
    public var brokerTimeout: Duration = .seconds(120)
    /// How often silent brokers are looked for; the first time after half of it. Default: 10 s.
    public var scanInterval: Duration = .seconds(10)
    /// How long requests in flight may take to be answered at shutdown. Default: 3 s.
    public var drainTimeout: Duration = .seconds(3)
    /// The values of `updateKvConfig`, as JSON. Default: `namesrv/kvConfig.json` in the user's home directory.
    public var keyValueFile: String
    /// Where changes made while running are written to; `nil` keeps them in memory. Never taken from a request.
    /// Default: none.
    public var configurationFile: String?
    /// Whether routes of ordered topics carry their layout (namespace ORDER_TOPIC_CONFIG). Default: false.
    public var attachesOrderConfiguration = false
    /// Keys that requests must not change, beside those that they never may. Default: none.
    public var protectedKeys: [String] = []
    /// Event loops, for the tool that creates them. Default: 2.
    public var threads = 2

    public init() {
        server = RemotingServerConfiguration()
        server.port = 9876
        keyValueFile =
            FileManager.default.homeDirectoryForCurrentUser
            .appendingPathComponent("namesrv/kvConfig.json").path
    }

    /// - Throws: `configuration` naming the value that cannot be used.
    public func validate() throws(NameServerError) {
        do {
            try server.validate()
        } catch {
            throw NameServerError(.configuration, error.message, cause: error)
        }
        for (name, value) in [("brokerTimeout", brokerTimeout), ("scanInterval", scanInterval)] where value <= .zero {
            throw NameServerError(.configuration, "\(name) is \(value): it must be longer than nothing")
        }
        guard !keyValueFile.isEmpty else {
            throw NameServerError(.configuration, "kvConfigPath is empty: name the file that keeps the values")
        }
        guard threads >= 1 else {
            throw NameServerError(.configuration, "serverWorkerThreads is \(threads): it must be at least 1")
        }
    }
}
