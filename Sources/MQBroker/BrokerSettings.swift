import MQProtocol
import NIOCore
import Synchronization

/// The broker's configuration as it is now; requests change some of it while the broker runs.
///
/// Readers take one immutable snapshot and keep it for an event-loop turn: reading costs no copy of the structure.
package final class BrokerSettings: Sendable {
    /// One version of the configuration.
    package final class Snapshot: Sendable {
        package let configuration: BrokerConfiguration
        let sends: SendSettings

        init(_ configuration: BrokerConfiguration) {
            self.configuration = configuration
            sends = SendSettings(configuration)
        }
    }

    private let snapshot: Mutex<Snapshot>

    package init(_ configuration: BrokerConfiguration) {
        snapshot = Mutex(Snapshot(configuration))
    }

    package var current: Snapshot { snapshot.withLock { $0 } }

    package var configuration: BrokerConfiguration { current.configuration }

    /// Replaces the configuration by what `change` makes of it; two changes never overlap.
    package func update<Failure: Error>(
        _ change: (inout BrokerConfiguration) throws(Failure) -> Void
    ) throws(Failure) {
        try snapshot.withLock { snapshot throws(Failure) in
            var configuration = snapshot.configuration
            try change(&configuration)
            snapshot = Snapshot(configuration)
        }
    }
}

/// What every send asks of the configuration.
struct SendSettings: Sendable {
    /// Milliseconds since 1970; sends before it are refused. 0: none is.
    let acceptedFrom: Int64
    let isWritable: Bool
    let rejectsTransactions: Bool
    /// The property that says which cluster stored a message, as text.
    let clusterProperty: [UInt8]
    let region: String
    let traceOn: Bool
    /// How safe a stored message is beyond this disk. Without slaves a synchronous master says so, as stock does.
    let replicationStatus: ResponseCode

    init(_ configuration: BrokerConfiguration) {
        acceptedFrom = configuration.acceptSendsFrom
        isWritable = configuration.isWritable
        rejectsTransactions = configuration.transactions.rejected
        var property = ByteBuffer()
        property.appendProperty(PropertyName.cluster, configuration.clusterName)
        clusterProperty = Array(property.readableBytesView)
        region = configuration.regionID
        traceOn = configuration.traceOn
        replicationStatus = configuration.role == .synchronousMaster ? .slaveNotAvailable : .success
    }
}
