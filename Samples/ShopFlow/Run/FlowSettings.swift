public import Logging
public import MQClient

/// What a run of the flow is told.
public struct FlowSettings: Sendable {
    public var workload: WorkloadSettings

    /// The directory of the store. Nil: a temporary one, which goes with the run.
    public var store: String?

    /// How long a reserved order may wait for its payment. Default: 2 s.
    public var paymentTimeout: Duration = .seconds(2)

    /// Makes trouble on purpose. Default: no.
    public var isChaotic = false

    /// Of a separate broker. Nil: one inside this process.
    public var nameServers: NameServerAddresses?

    /// How long nothing at all may move before the run is given up, unless it waits for deadlines only or, eleven
    /// minutes at most, for a check-back.
    var patience = Duration.seconds(120)

    /// Default: a logger labelled `ShopFlow`.
    public var logger = Logger(label: "ShopFlow")

    public init(_ workload: WorkloadSettings) {
        self.workload = workload
    }
}

/// How far a run is.
public enum FlowProgress: Sendable, Equatable {
    case starting
    /// Customers have done so many things of so many.
    case selling(done: Int, of: Int)
    /// Everybody has left; so much is still on its way.
    case settling(open: Int)
    case checking
    /// Nothing has moved for a while, and why; said once each time.
    case waiting(String)
    /// It moves again.
    case goingOn
}
