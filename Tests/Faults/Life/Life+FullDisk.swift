import ProcessSupport
import TestSupport

/// A broker that is started on a full disk.
extension Life {
    /// KiB. Some starts need more than is left, some less.
    private static let maximumSpare = 8
    /// Of senders that have others' numbers of rounds.
    private static let roundsApart = 1000

    /// It says that the disk is full and ends, or it serves and refuses what needs room. With room again it accepts:
    /// the same one at once, or else the next.
    func startOnFullDisk(_ kind: FaultKind, _ producers: Producers) async throws {
        // Where the store is: it needs room too.
        let file = try BrokerProcess.writeProperties(world.options(setup), port: world.port)
        let spare = Int.random(in: 0...Self.maximumSpare, using: &generator) * 1024
        let ballast = try Ballast(in: world.disk.mountPoint, leaving: spare)
        defer { ballast.remove() }
        hasStruck = false
        let isRefused = try await isRefused(kind, with: 68, file) { [self] process in
            await fillUp(kind, process, producers, ballast)
        }
        if isRefused { hasStruck = true }
    }

    private func fillUp(
        _ kind: FaultKind, _ process: ServerProcess, _ producers: Producers, _ ballast: Ballast
    ) async {
        journal.resume()
        var others = producers
        others.patience = .endless
        others.round += Self.roundsApart
        let load = Task { [others] in await others.run() }
        await Self.wait(atMost: .seconds(5)) { journal.refusals[Producers.noSpace] != nil }
        hasStruck = journal.refusals[Producers.noSpace] != nil
        ballast.remove()
        if await !reach(30, within: .seconds(10)) {
            fail(
                [Violation(.liveness, "no acknowledgement within 10 s of there being room: \(journal.refusals)")],
                of: kind)
        }
        journal.end()
        process.kill()
        await load.value
    }
}
