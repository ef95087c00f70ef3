/// What one rebalance changes about the queues of a topic.
struct RebalancePlan: Sendable, Hashable {
    enum Status: Sendable, Hashable {
        case pulling
        /// Nothing was pulled for too long: taken anew.
        case stalled
        /// Given up, but a handler is not done with it.
        case ending
    }

    /// Queues to give up.
    private(set) var give: [MessageQueue] = []
    /// Queues to take now.
    private(set) var take: [MessageQueue] = []
    /// Queues to take once they are given up completely.
    private(set) var later: [MessageQueue] = []

    /// - Parameters:
    ///   - held: the queues of the topic that are held.
    ///   - share: those that the consumer shall have.
    init(held: [MessageQueue: Status], share: [MessageQueue]) {
        let wanted = Set(share)
        for (queue, status) in held.sorted(by: { $0.key < $1.key }) {
            switch status {
            case .pulling where !wanted.contains(queue): give.append(queue)
            case .stalled: give.append(queue)
            default: break
            }
        }
        for queue in share.sorted() {
            switch held[queue] {
            case nil: take.append(queue)
            case .pulling: break
            case .stalled, .ending: later.append(queue)
            }
        }
    }
}
