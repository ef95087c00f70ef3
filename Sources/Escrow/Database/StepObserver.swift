/// The moments between which a crash could hurt. Tests end the process there.
package enum Step: String, CaseIterable, Sendable {
    /// All half messages of a transaction are stored.
    case halfStored
    /// Inside the SQLite transaction, after the body, before the commit.
    case beforeCommit
    /// A transaction has committed; its verdict has not left.
    case committed
    /// A broker has acknowledged a verdict; the row is still there.
    case verdictAcknowledged
    /// A broker has asked for a verdict; nothing was looked up.
    case checkBackArrived
    /// Deliveries are committed; the broker has not heard.
    case deliveriesCommitted
    /// A ring of a deadline has arrived; its handler has not run.
    case deadlineRang
    /// Inside the SQLite transaction: a deadline's row says that it has fired; its handler has not run.
    case deadlineFired
}

/// Who wants to know of steps; by default nobody.
package struct StepObserver: Sendable {
    private let observe: (@Sendable (Step) -> Void)?

    package static let none = StepObserver(observe: nil)

    package init(_ observe: @escaping @Sendable (Step) -> Void) {
        self.observe = observe
    }

    private init(observe: (@Sendable (Step) -> Void)?) {
        self.observe = observe
    }

    func reached(_ step: Step) {
        observe?(step)
    }
}
