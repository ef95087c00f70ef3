import NIOCore
import NIOPosix

/// A loopback port that nobody listens on, and neither two below: a broker listens there as well.
enum FreePort {
    /// Below the range from which systems take the ports of outgoing connections, so that none of those comes between.
    private static let range = 12_000..<32_000

    static func pick() async throws -> Int {
        for _ in 0..<100 {
            let port = Int.random(in: range)
            if await isFree(port), await isFree(port - 2) { return port }
        }
        throw BenchError("No port between \(range.lowerBound) and \(range.upperBound) is free.")
    }

    private static func isFree(_ port: Int) async -> Bool {
        do {
            let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
                .bind(host: "127.0.0.1", port: port)
                .get()
            try await channel.close().get()
            return true
        } catch {
            return false
        }
    }
}
