import TestSupport

/// What one life is made of: all of it follows from the run's seed and the life's number.
struct Schedule: Sendable {
    let seed: UInt64
    var setup: Setup
    let kinds: [FaultKind]

    /// - Parameter kinds: to choose from; empty: all that are done to a broker.
    init(seed: UInt64, life: Int, faults: Int, kinds: [FaultKind]) {
        var generator = SeededGenerator(seed: seed &+ UInt64(life) &* 0x5851_F42D_4C95_7F2D)
        self.seed = generator.next()
        setup = Setup(
            flush: Int.random(in: 0..<4, using: &generator) == 0 ? .asynchronous : .synchronous,
            hasRecordChecksum: Bool.random(using: &generator),
            retainsUnconsumed: Bool.random(using: &generator))
        let candidates = kinds.isEmpty ? FaultKind.allCases.filter { !$0.isOfFiles } : kinds
        // Half of them are losses of power: each is another place in the middle of everything.
        let power = candidates.filter(\.losesPower)
        self.kinds = (0..<faults).map { index in
            let isPower = !power.isEmpty && index % 2 == 0
            return (isPower ? power : candidates).randomElement(using: &generator) ?? .kill
        }
    }
}
