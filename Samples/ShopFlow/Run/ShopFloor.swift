import GRDB
import MQClient
import MQProtocol
import Synchronization

/// Lets customers and services work until everything has come to rest.
struct ShopFloor: Sendable {
    let store: Store
    let workload: Workload
    let settings: FlowSettings
    let nameServers: NameServerAddresses
    let halves: HalfMessages
    let stall: Stall
    let time: TimeSource
    let onProgress: @Sendable (FlowProgress) -> Void

    private static let look = Duration.milliseconds(20)
    /// The pauses between check-backs double, up to ten minutes.
    private static let longestCheckPause = Duration.seconds(11 * 60)

    private enum Ending {
        case settled, stuck, servicesEnded
    }

    /// - Returns: false when nothing moved any more and the run was given up.
    func run() async throws -> Bool {
        let chaos = settings.isChaotic ? Chaos(seed: settings.workload.seed) : nil
        let shop = try Shop(
            store, nameServers: nameServers, paymentTimeout: settings.paymentTimeout, chaos: chaos,
            logger: settings.logger)
        let stops = Mutex(1)
        let all = workload.steps
        let customers = Customers(workload: workload, store: store, shop: shop, time: time) { done in
            onProgress(.selling(done: done, of: all))
            guard chaos != nil else { return }
            let isDue = stops.withLock { next in
                let isDue = Chaos.isStopDue(next, done: done, of: all)
                if isDue { next += 1 }
                return isDue
            }
            if isDue { shop.interrupt() }
        }
        try await customers.payWhatWaits()
        return try await withTaskCancellationHandler {
            try await work(shop, customers)
        } onCancel: {
            shop.decisions.close()
        }
    }

    private func work(_ shop: Shop, _ customers: Customers) async throws -> Bool {
        try await withThrowingTaskGroup(of: Ending.self) { tasks in
            tasks.addTask {
                try await shop.run()
                return .servicesEnded
            }
            tasks.addTask {
                try await customers.run()
                try await settle()
                return .settled
            }
            tasks.addTask {
                try await watch()
                return .stuck
            }
            let first = await tasks.nextResult()
            tasks.cancelAll()
            // No cancellation wakes those who wait for a decision.
            shop.decisions.close()
            while await tasks.nextResult() != nil {}
            let ending = try first?.get()
            try Task.checkCancellation()
            return ending == .settled
        }
    }

    /// Returns when the services have nothing to do and no broker waits for a verdict.
    private func settle() async throws {
        while true {
            let work = try await OpenWork.count(store)
            onProgress(.settling(open: work.count))
            if work.isNothing { break }
            try await time.sleep(for: Self.look)
        }
        while true {
            let undecided = try await Patience(time: time).ask { try await halves.undecided() }
            onProgress(.settling(open: undecided.count))
            if undecided.isEmpty { return }
            try await time.sleep(for: .milliseconds(200))
        }
    }

    /// Says what is waited for when nothing moves, and returns when it lasts too long.
    private func watch() async throws {
        var isStalled = false
        var last = try await movement()
        var since = ContinuousClock.now
        while true {
            try await time.sleep(for: .seconds(1))
            let now = try await movement()
            if now != last {
                since = .now
                if isStalled { onProgress(.goingOn) }
                isStalled = false
            }
            last = now
            if since.duration(to: .now) >= settings.patience {
                if try await stall.isTimeOnly(time.now()) {
                    since = .now
                } else {
                    let mayWait = since.duration(to: .now) < Self.longestCheckPause
                    guard mayWait, await stall.waitsForCheckBack() else { return }
                }
            }
            // The broker of this process goes with it: it needs no such help.
            let isDue = settings.nameServers != nil && !isStalled && since.duration(to: .now) >= Stall.length
            guard isDue, let cause = try await stall.cause(now: time.now()) else { continue }
            isStalled = true
            onProgress(.waiting(cause))
        }
    }

    /// Differs from the last one when anything has happened in a database.
    private func movement() async throws -> [Int64] {
        var rows: [Int64] = []
        for (_, database) in store.services {
            rows += try await database.read { db in
                try [
                    Checks.sum(db, "SELECT max(sequence) FROM escrow_inbox"),
                    Checks.sum(db, "SELECT count(*) FROM escrow_outbox"),
                    Checks.sum(db, "SELECT count(*) FROM escrow_fence"),
                    Checks.sum(db, "SELECT sum(value) FROM escrow_counter"),
                ]
            }
        }
        return rows
    }
}
