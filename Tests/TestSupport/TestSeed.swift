import Foundation

/// The seed of every random test of this run: from ESCROW_SEED, else a new one. It is printed once.
package enum TestSeed {
    package static let current: UInt64 = {
        let given = ProcessInfo.processInfo.environment["ESCROW_SEED"].flatMap { UInt64($0) }
        let seed = given ?? UInt64.random(in: 1...0xFFFF_FFFF)
        // A buffer would be lost with a process that dies of what it found.
        FileHandle.standardOutput.write(Data("ESCROW_SEED=\(seed)\n".utf8))
        return seed
    }()
}

/// SplitMix64: the same numbers for the same seed on every platform.
package struct SeededGenerator: RandomNumberGenerator, Sendable {
    private var state: UInt64

    package init(seed: UInt64 = TestSeed.current) {
        state = seed
    }

    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }

    /// 0..<limit.
    package mutating func next(below limit: Int) -> Int { Int(next() % UInt64(limit)) }

    package mutating func bytes(_ count: Int) -> [UInt8] {
        (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &self) }
    }

    package mutating func letters(_ count: Int) -> String {
        let alphabet = "abcdefghijklmnopqrstuvwxyzABCDEF0123456789_-|%"
        return String((0..<count).map { _ in alphabet.randomElement(using: &self) ?? "a" })
    }

    /// Characters of one to four bytes, none of which separates properties.
    package mutating func text(_ count: Int) -> String {
        String((0..<count).map { _ in "aZ09 éß键标签✓😀𝕏/#*".randomElement(using: &self) ?? "a" })
    }
}
