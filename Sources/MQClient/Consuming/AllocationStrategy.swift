/// How the queues of a topic are shared out among the members of a group. Every member computes all of it for itself,
/// so all of them, Java ones included, must use the same strategy.
public enum AllocationStrategy: Sendable, Hashable {
    /// Neighbouring queues in equal shares; the first members have one more when they do not divide evenly. RocketMQ's
    /// `AVG` and its default.
    case average
    /// One queue to each member in turn. RocketMQ's `AVG_BY_CIRCLE`.
    case averageByCircle
    /// These queues, whoever else is there. RocketMQ's `CONFIG`.
    case configured([MessageQueue])
    /// Each queue to the next member on a ring of hashes: few queues move when a member comes or goes. RocketMQ's
    /// `CONSISTENT_HASH`, where every member stands at 10 places.
    case consistentHash(virtualNodes: Int)

    /// RocketMQ's name of it.
    var name: String {
        switch self {
        case .average: "AVG"
        case .averageByCircle: "AVG_BY_CIRCLE"
        case .configured: "CONFIG"
        case .consistentHash: "CONSISTENT_HASH"
        }
    }

    /// The queues of one member, in order; none when it is not among `members`.
    ///
    /// - Parameter queues: of one topic, in any order.
    func share(of member: String, among members: [String], queues: [MessageQueue]) -> [MessageQueue] {
        let members = members.sorted { $0.utf16.lexicographicallyPrecedes($1.utf16) }
        let place = members.firstIndex(of: member)
        let queues = queues.sorted()
        switch self {
        case .average:
            return place.map { Self.neighbours(queues, index: $0, count: members.count) } ?? []
        case .averageByCircle:
            return place.map { stride(from: $0, to: queues.count, by: members.count).map { queues[$0] } } ?? []
        case .configured(let own):
            return queues.filter(own.contains)
        case .consistentHash(let nodes):
            return HashRing(members, nodes: nodes).queues(queues, of: member)
        }
    }

    private static func neighbours(_ queues: [MessageQueue], index: Int, count: Int) -> [MessageQueue] {
        let (share, rest) = queues.count.quotientAndRemainder(dividingBy: count)
        guard share > 0 || index < rest else { return [] }
        let start = index * share + min(index, rest)
        return Array(queues[start..<(start + share + (index < rest ? 1 : 0))])
    }
}

/// Members at several places each on a ring of 32-bit hashes.
private struct HashRing {
    private var places: [(hash: UInt32, member: String)]

    init(_ members: [String], nodes: Int) {
        places = members.flatMap { member in
            (0..<max(1, nodes)).map { (MD5.prefix(of: "\(member)-\($0)"), member) }
        }
        places.sort { $0.hash < $1.hash }
    }

    func queues(_ queues: [MessageQueue], of member: String) -> [MessageQueue] {
        queues.filter { queue in
            let hash = MD5.prefix(of: queue.description)
            return (places.first { $0.hash >= hash } ?? places.first)?.member == member
        }
    }
}
