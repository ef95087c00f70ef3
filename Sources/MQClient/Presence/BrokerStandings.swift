import MQProtocol

/// What heartbeats have taught about each broker, by address. Pure.
struct BrokerStandings {
    private struct Standing {
        /// Nil until the broker has answered a heartbeat.
        var announcesEscrow: Bool?
        /// When it did.
        var answered: Timestamp?
        /// A heartbeat was sent, and the last one did not fail.
        var isTold = false
        var isAsking = false
        /// Another heartbeat was wanted while one was under way.
        var isWantedAgain = false
    }

    private var standings: [String: Standing] = [:]

    /// - Returns: false when a heartbeat to the address is under way: it is followed by another one.
    mutating func begin(_ address: String) -> Bool {
        guard !standings[address, default: Standing()].isAsking else {
            standings[address]?.isWantedAgain = true
            return false
        }
        standings[address, default: Standing()].isAsking = true
        return true
    }

    /// - Returns: true when another heartbeat was wanted meanwhile; it counts as begun.
    mutating func finish(_ address: String) -> Bool {
        let isWanted = standings[address]?.isWantedAgain ?? false
        standings[address]?.isWantedAgain = false
        standings[address]?.isAsking = isWanted
        return isWanted
    }

    /// A heartbeat is on its way: it arrives even if its answer is not waited for.
    mutating func told(_ address: String) {
        standings[address, default: Standing()].isTold = true
    }

    mutating func failed(_ address: String) {
        standings[address]?.isTold = false
    }

    mutating func answered(_ address: String, announcesEscrow: Bool, now: Timestamp) {
        standings[address, default: Standing()].announcesEscrow = announcesEscrow
        standings[address]?.answered = now
    }

    /// Nil when the broker has never answered a heartbeat.
    func announcesEscrow(_ address: String) -> Bool? {
        standings[address]?.announcesEscrow
    }

    /// How long ago the broker answered its latest heartbeat.
    func age(_ address: String, now: Timestamp) -> Duration? {
        standings[address]?.answered?.duration(to: now)
    }

    /// Addresses that hear of this client, in order.
    var told: [String] {
        standings.filter(\.value.isTold).keys.sorted()
    }
}
