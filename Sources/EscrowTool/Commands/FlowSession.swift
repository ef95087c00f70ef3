import Foundation
import ShopFlow
import UnixSignals

/// Runs the flow, shows how far it is, and prints what it left behind.
enum FlowSession {
    /// - Throws: ``WorkFailed`` when something is lost or doubled, or the run was interrupted.
    static func run(_ settings: FlowSettings, json: Bool) async throws {
        let line = ProgressLine(interval: .milliseconds(50))
        let run = FlowRun(settings) { show($0, on: line) }
        let report: FlowReport
        do {
            report = try await untilSignal(line) { try await run.run() }
        } catch {
            line.clear()
            throw error is Interruption ? WorkFailed(message: farewell(settings)) as any Error : error
        }
        line.clear()
        complain(of: report)
        Console.print(json ? try report.json() : report.text(isColoured: Console.outputIsTerminal))
        if report.violations > 0 || !report.isComplete { throw WorkFailed() }
    }

    private static func show(_ progress: FlowProgress, on line: ProgressLine) {
        switch progress {
        case .starting: line.show("Opening the shop")
        case .selling(let done, let all):
            line.show("Selling   \(ProgressLine.bar(done, of: all))  \(done) of \(all)")
        case .settling(let open): line.show("Settling  \(open) still open")
        case .waiting(let cause): line.announce(cause)
        case .goingOn: line.announce("it goes on")
        case .checking: line.show("Checking that nothing is lost, doubled or forgotten")
        }
    }

    private static func farewell(_ settings: FlowSettings) -> String {
        guard let store = settings.store else { return "interrupted; its temporary store is gone" }
        return "interrupted; the same command with --store \(store) goes on where it stopped"
    }

    private static func complain(of report: FlowReport) {
        for row in report.malformedRows { Console.complain("\(row)") }
        let more = report.totals.malformedRows - Int64(report.malformedRows.map(\.count).reduce(0, +))
        if more > 0 { Console.complain("and \(more) more malformed rows") }
    }

    private struct Interruption: Error {}

    /// - Throws: ``Interruption`` after Ctrl-C or a request to end.
    private static func untilSignal<Value: Sendable>(
        _ line: ProgressLine, _ body: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        let signals = await UnixSignalsSequence(trapping: .sigint, .sigterm)
        let (interruptions, interruption) = AsyncStream.makeStream(of: Void.self)
        // Goes on listening while the first signal is obeyed.
        let listening = Task {
            var isFirst = true
            for await _ in signals {
                guard isFirst else { endAtOnce() }
                isFirst = false
                line.announce("escrow: stopping; the broker is told, for 2 s at most; a second Ctrl-C ends it at once")
                interruption.yield()
            }
        }
        defer { listening.cancel() }
        return try await withThrowingTaskGroup(of: Value?.self) { tasks in
            tasks.addTask { try await body() }
            tasks.addTask {
                for await _ in interruptions { return nil }
                return nil
            }
            defer { tasks.cancelAll() }
            guard let value = try await tasks.next() ?? nil else {
                tasks.cancelAll()
                while await tasks.nextResult() != nil {}
                throw Interruption()
            }
            return value
        }
    }

    /// As kill -9 would: what is left open is finished when the run goes on.
    private static func endAtOnce() -> Never {
        Console.complain("escrow: ended at once")
        _exit(1)
    }
}
