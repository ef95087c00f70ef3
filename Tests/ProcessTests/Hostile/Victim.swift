import MQProtocol
import ProcessOutput
import ProcessSupport
import Synchronization
import Testing

/// A server under attack, and a client of it that only wants to work.
struct Victim: Sendable {
    enum Kind: String, CaseIterable, CustomTestStringConvertible {
        case broker, nameServer

        var testDescription: String { rawValue }
    }

    let process: ServerProcess
    let address: String
    let client: RawClient
    /// Nothing but the store and the configuration file may appear in here.
    let directory: String
    private let kind: Kind

    /// - Throws: when the server did not survive `body`.
    static func with(_ kind: Kind, _ body: @Sendable (Victim) async throws -> Void) async throws {
        try await TemporaryDirectory.with { directory in
            let exit =
                switch kind {
                case .broker:
                    try await BrokerProcess.run(
                        StoreSettings.options(store: directory + "/store", flush: "ASYNC_FLUSH")
                    ) {
                        try await attend($0.process, $0.address, kind, directory, body)
                    }.exit
                case .nameServer:
                    try await NameServerProcess.run(directory: directory) {
                        try await attend($0.process, $0.address, kind, directory, body)
                    }.exit
                }
            #expect(exit == .code(0))
        }
    }

    private static func attend(
        _ process: ServerProcess, _ address: String, _ kind: Kind, _ directory: String,
        _ body: @Sendable (Victim) async throws -> Void
    ) async throws {
        try await RawClient.with(address) { client in
            if kind == .broker { try await client.createTopic("Victim", queues: 1) }
            let victim = Victim(process: process, address: address, client: client, directory: directory, kind: kind)
            try await body(victim)
            try await victim.roundTrip()
            #expect(!process.output.isFinished)
        }
    }

    func roundTrip() async throws {
        switch kind {
        case .broker:
            let answer = try await client.send(Payload.message(1, to: QueueName("Victim", 0)))
            #expect(answer.code == .success)
        case .nameServer:
            try await client.require(.getBrokerClusterInfo)
        }
    }

    /// Attacks, while the client goes on with one request after the other.
    ///
    /// - Parameter limit: of the 99th percentile of the client's round trips. Generous by default: builds for tests
    ///   are slow, and attackers and victim share one machine.
    func endure(
        _ what: String, limit: Duration = .seconds(1), _ attack: @Sendable () async throws -> Void
    ) async throws {
        let end = Flag()
        let times = try await withThrowingTaskGroup(of: [Duration].self) { group in
            group.addTask {
                var times: [Duration] = []
                repeat {
                    let begun = ContinuousClock.now
                    try await roundTrip()
                    times.append(ContinuousClock.now - begun)
                } while !end.isRaised || times.count < 100
                return times
            }
            let outcome: Result<Void, any Error>
            do { outcome = .success(try await attack()) } catch { outcome = .failure(error) }
            end.raise()
            try outcome.get()
            return try await group.next() ?? []
        }.sorted()
        let slow = times[times.count * 99 / 100]
        print("\(kind.rawValue), \(what): \(times.count) round trips meanwhile, 99 % within \(slow)")
        #expect(slow < limit)
    }
}

private final class Flag: Sendable {
    private let state = Atomic(false)

    var isRaised: Bool { state.load(ordering: .relaxed) }

    func raise() { state.store(true, ordering: .relaxed) }
}
