/// Where a server listens and what it lets one connection, and all of them together, use up.
public struct RemotingServerConfiguration: Sendable {
    /// The address to listen on. Nothing but this machine reaches the default. Default: 127.0.0.1.
    public var host = "127.0.0.1"
    /// 0 takes any free port. Default: 0.
    public var port = 0
    /// Connections that wait to be accepted. Default: 1024.
    public var backlog = 1024
    /// Further connections are closed as soon as they are accepted. Default: 10 000.
    public var maximumConnections = 10_000
    public var connection = ConnectionLimits()
    public var tls = ServerTLS()

    public init() {}
}

/// What one connection may use.
public struct ConnectionLimits: Sendable {
    /// A longer frame ends the connection; told from the length word, before anything is buffered. Default: 16 MiB.
    public var maximumFrameBytes = 16 * 1024 * 1024
    /// Requests handed to the handler and neither answered nor parked. At the limit the connection is not read until
    /// half of them are answered. Default: 4096.
    public var maximumInFlight = 4096
    /// Parked requests (long polls). At the limit the connection is not read. Default: 16 384.
    public var maximumParked = 16_384
    /// Unsent output above which a connection is not read. Default: 4 MiB.
    public var outputHighWaterBytes = 4 * 1024 * 1024
    /// Unsent output above which the connection is closed at once. Default: 64 MiB.
    public var maximumOutputBytes = 64 * 1024 * 1024
    /// How long the output may stay above the high-water mark before the connection is closed. Default: 60 s.
    public var drainTimeout: Duration = .seconds(60)
    /// A connection with nothing read and nothing written for so long is closed. Default: 120 s.
    public var idleTimeout: Duration = .seconds(120)
    /// A frame of which a part arrived must be complete within this time. Default: 30 s.
    public var frameTimeout: Duration = .seconds(30)

    public init() {}
}

extension RemotingServerConfiguration {
    /// - Throws: `configuration` naming the value that cannot be used and what it may be.
    public func validate() throws(RemotingError) {
        guard (0...65535).contains(port) else {
            throw RemotingError(.configuration, "the port \(port) cannot be used: choose one from 0 to 65535")
        }
        let atLeastOne = [
            ("backlog", backlog),
            ("maximumConnections", maximumConnections),
            ("maximumFrameBytes", connection.maximumFrameBytes),
            ("maximumInFlight", connection.maximumInFlight),
            ("maximumParked", connection.maximumParked),
            ("outputHighWaterBytes", connection.outputHighWaterBytes),
        ]
        for (name, value) in atLeastOne where value < 1 {
            throw RemotingError(.configuration, "\(name) is \(value): it must be at least 1")
        }
    }
}
