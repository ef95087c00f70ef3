import Foundation
import Synchronization
import TestSupport

@testable import MQStore

/// What a run does: `ESCROW_SIM_OPERATIONS` sets how many operations it has in all, `ESCROW_SEED` repeats one,
/// `ESCROW_SIM_WORLD` runs one of its worlds alone.
struct SimulationSettings {
    static let operationsPerWorld = 2000

    var seed = TestSeed.current
    var worlds: Range<Int>

    /// - Parameter operations: when the environment does not say how many.
    init(operations: Int) {
        let environment = ProcessInfo.processInfo.environment
        let wanted = environment["ESCROW_SIM_OPERATIONS"].flatMap { Int($0) } ?? operations
        worlds = 0..<max(1, wanted / Self.operationsPerWorld)
        if let world = environment["ESCROW_SIM_WORLD"].flatMap({ Int($0) }) { worlds = world..<world + 1 }
    }
}

/// Worlds one after the other on a thread per core, until all are done or one finds a violation.
final class SimulationRun: Sendable {
    private let seed: UInt64
    private let worlds: Range<Int>
    private let operationsPerWorld: Int
    private let next: Atomic<Int>
    private let performed = Atomic<Int>(0)
    private let done = Atomic<Int>(0)
    private let violation = Mutex<Violation?>(nil)

    init(_ settings: SimulationSettings) {
        seed = settings.seed
        worlds = settings.worlds
        operationsPerWorld = SimulationSettings.operationsPerWorld
        next = Atomic(worlds.lowerBound)
    }

    var summary: String {
        let operations = performed.load(ordering: .relaxed)
        return "simulation: \(operations) operations in \(done.load(ordering: .relaxed)) worlds, ESCROW_SEED=\(seed)"
    }

    /// - Returns: the violation of the first world, by number, that found one.
    func result() async throws -> Violation? {
        let threads = min(worlds.count, ProcessInfo.processInfo.activeProcessorCount)
        let (ends, continuation) = AsyncStream.makeStream(of: Void.self)
        for number in 0..<threads {
            // Not on the pool of tasks, which belongs to the other tests.
            let thread = StoreThread(name: "simulation-\(number)") { [self] in
                while runNext() {}
                continuation.yield()
            }
            try thread.start()
        }
        var iterator = ends.makeAsyncIterator()
        for _ in 0..<threads { _ = await iterator.next() }
        return violation.withLock { $0 }
    }

    /// - Returns: whether there may be more.
    private func runNext() -> Bool {
        let number = next.wrappingAdd(1, ordering: .relaxed).oldValue
        guard number < worlds.upperBound, violation.withLock({ $0 == nil }) else { return false }
        let world = World(seed: seed &+ UInt64(number) &* 0x9E37_79B9_7F4A_7C15)
        do {
            try world.run(operations: operationsPerWorld)
        } catch {
            note(error as? Violation ?? Violation(.harness, "\(error)"), world, number)
        }
        performed.wrappingAdd(world.operations, ordering: .relaxed)
        done.wrappingAdd(1, ordering: .relaxed)
        return true
    }

    private func note(_ found: Violation, _ world: World, _ number: Int) {
        var found = found
        found.seed = seed
        found.world = number
        found.operation = world.operations
        found.setting = world.setting
        found.trail = world.trail.all
        found.complaints = world.complaints.all
        if Trail.length > 20 { found.inventory = world.inventory }
        let complete = found
        violation.withLock { present in
            if present.map({ $0.world > number }) ?? true { present = complete }
        }
    }
}
