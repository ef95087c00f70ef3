import Foundation
import Synchronization

/// The file through which a broker's preloaded library (`Preload/preload.c`) is told what to break.
///
/// Layout, little-endian: the shift of the wall clock in nanoseconds (8 bytes), 56 bytes unused, then 8 rules of 120
/// bytes: operation, action (4 bytes each), skip, times, seen, fired (8 bytes each), a part of the path (80 bytes).
final class FaultControl: Sendable {
    enum Operation: Int32, Sendable {
        case write = 1, flush, length, rename, remove, open, read
    }

    enum Action: Int32, Sendable {
        case inputOutputError = 1, noSpace, short, powerBefore, powerAfter, killBefore, killAfter
        /// A failed flush after which the system has dropped what it could not write.
        case errorWithDroppedPages
        case readOnly
    }

    struct Rule: Sendable {
        var operation: Operation
        var action: Action
        /// Matching calls that pass first.
        var skip = 0
        /// Calls it acts on then; nil: all.
        var times: Int? = 1
        /// Acts on paths that contain this.
        var path: String
    }

    private static let ruleCount = 8
    private static let ruleBytes = 120
    private static let headBytes = 64
    private static let pathBytes = 80

    let path: String
    private let file: Mutex<FileHandle>

    init(directory: String) throws {
        path = directory + "/control"
        let size = Self.headBytes + Self.ruleCount * Self.ruleBytes
        _ = FileManager.default.createFile(atPath: path, contents: Data(count: size))
        file = Mutex(try FileHandle(forUpdating: URL(fileURLWithPath: path)))
    }

    func shiftClock(by shift: Duration) throws {
        let nanoseconds = shift.components.seconds * 1_000_000_000 + shift.components.attoseconds / 1_000_000_000
        try write(bytes(nanoseconds), at: 0)
    }

    /// Replaces all rules. A rule is switched on last.
    func set(_ rules: [Rule]) throws {
        precondition(rules.count <= Self.ruleCount, "more rules than the file has room for")
        for index in 0..<Self.ruleCount { try write(bytes(Int32(0)), at: position(index)) }
        for (index, rule) in rules.enumerated() {
            var data = bytes(rule.action.rawValue)
            for number in [rule.skip, rule.times ?? -1, 0, 0] { data += bytes(Int64(number)) }
            let name = Data(rule.path.utf8.prefix(Self.pathBytes - 1))
            data += name + Data(count: Self.pathBytes - name.count)
            try write(data, at: position(index) + 4)
            try write(bytes(rule.operation.rawValue), at: position(index))
        }
    }

    func clear() throws { try set([]) }

    /// How often the rules acted.
    func fired() throws -> Int {
        try file.withLock { file in
            try (0..<Self.ruleCount).reduce(0) { sum, index in
                try file.seek(toOffset: UInt64(position(index) + 32))
                let data = try file.read(upToCount: 8) ?? Data()
                return sum + data.reversed().reduce(0) { $0 << 8 | Int($1) }
            }
        }
    }

    private func position(_ rule: Int) -> Int { Self.headBytes + rule * Self.ruleBytes }

    private func write(_ data: Data, at position: Int) throws {
        try file.withLock { file in
            try file.seek(toOffset: UInt64(position))
            try file.write(contentsOf: data)
        }
    }

    private func bytes(_ number: some FixedWidthInteger) -> Data {
        Data((0..<number.bitWidth / 8).map { UInt8(truncatingIfNeeded: number >> ($0 * 8)) })
    }
}
