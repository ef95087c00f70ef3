/// Decides whether a connection is read: counts what it has in flight and knows whether it drains its output.
///
/// Pure: the connection asks ``mayRead`` before each frame and before each read from the socket.
struct Intake {
    private let maximumInFlight: Int
    private let maximumParked: Int
    /// A client goes on reading when its own output is high, or two ends that wait for each other would never go on.
    private let readsWhileOutputIsHigh: Bool
    private(set) var inFlight = 0
    private(set) var parked = 0
    /// Set at the in-flight limit, cleared when half of it is answered: hysteresis keeps reads large.
    private var isSaturated = false
    var isOutputHigh = false
    /// A connection that is being shut down takes no further request.
    var isDraining = false

    init(maximumInFlight: Int, maximumParked: Int, readsWhileOutputIsHigh: Bool) {
        self.maximumInFlight = max(1, maximumInFlight)
        self.maximumParked = max(1, maximumParked)
        self.readsWhileOutputIsHigh = readsWhileOutputIsHigh
    }

    var mayRead: Bool {
        !isSaturated && parked < maximumParked && !isDraining && (readsWhileOutputIsHigh || !isOutputHigh)
    }

    mutating func began() {
        inFlight += 1
        if inFlight >= maximumInFlight {
            isSaturated = true
        }
    }

    mutating func finished() {
        guard inFlight > 0 else {
            assertionFailure("a request was answered twice, or a one-way request was answered")
            return
        }
        inFlight -= 1
        if inFlight <= maximumInFlight / 2 {
            isSaturated = false
        }
    }

    mutating func park() {
        finished()
        parked += 1
    }

    mutating func unpark() {
        guard parked > 0 else { return }
        parked -= 1
        began()
    }
}
