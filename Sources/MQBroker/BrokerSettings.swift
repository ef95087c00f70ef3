import Synchronization

/// The broker's configuration as it is now; requests change some of it while the broker runs.
///
/// Readers take one immutable snapshot and keep it for an event-loop turn: reading costs no copy of the structure.
package final class BrokerSettings: Sendable {
    /// One version of the configuration.
    package final class Snapshot: Sendable {
        package let configuration: BrokerConfiguration

        init(_ configuration: BrokerConfiguration) {
            self.configuration = configuration
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
