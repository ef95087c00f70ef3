import NIOCore
import NIOPosix
import Synchronization

/// Ports of the loopback interface for servers under test.
package enum FreePorts {
    private static let given = Mutex(Set<Int>())

    /// Below the range from which systems take the ports of outgoing connections, so that none of those comes between.
    private static let range = 12_000..<32_000

    /// A port that nobody listens on, whose neighbours are free as well: a broker also listens two below, and keeps
    /// the one above for replication. No port is given twice by one process.
    package static func next() async throws -> Int {
        for _ in 0..<200 {
            let port = Int.random(in: range)
            let neighbours = Set(port - 2...port + 1)
            let isNew = given.withLock { given in
                guard given.isDisjoint(with: neighbours) else { return false }
                given.formUnion(neighbours)
                return true
            }
            guard isNew, await isFree(port), await isFree(port - 2) else { continue }
            return port
        }
        throw ProcessSupportError("No free port between \(range.lowerBound) and \(range.upperBound).")
    }

    private static func isFree(_ port: Int) async -> Bool {
        do {
            let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
                .bind(host: "127.0.0.1", port: port).get()
            try await channel.close().get()
            return true
        } catch {
            return false
        }
    }
}
