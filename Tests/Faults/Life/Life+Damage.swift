import Foundation
import NIOCore
import ProcessOutput
import ProcessSupport

/// A message that is spoilt in the log of a stopped broker, which is to serve everything else and say what is wrong.
extension Life {
    struct LogDamage: Sendable {
        var number: Int64
        /// As the broker names it.
        var file: String
        /// Of the record.
        var position: Int
    }

    /// Bytes of a body that nothing else has by chance.
    private static let minimumBody = 64
    /// Where the body of a record begins when both hosts are IPv4.
    private static let bodyPosition = 88

    /// Flips a bit in the body of a message that was acknowledged at a place, wherever in the log it is.
    ///
    /// - Returns: nil when none is found: all may have expired.
    func damageMessage() throws -> LogDamage? {
        let folder = world.store + "/commitlog"
        let files = try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
        let entries = journal.history.entries
        let candidates = entries.indices.filter { index in
            guard case .acknowledged = entries[index].state, entries[index].place != nil else { return false }
            // No copies in the retry topic, whose bodies are the same.
            let number = Int64(index)
            return Payload.fate(number) == .handled && Payload.body(number).readableBytes >= Self.minimumBody
        }
        for index in candidates.shuffled(using: &generator).prefix(5) {
            let body = Data(Payload.body(Int64(index)).readableBytesView)
            for name in files {
                let path = folder + "/" + name
                guard var data = FileManager.default.contents(atPath: path), let range = data.range(of: body) else {
                    continue
                }
                let position = range.lowerBound + Int.random(in: 0..<body.count, using: &generator)
                data[position] ^= 1 << UInt8.random(in: 0...7, using: &generator)
                let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
                defer { try? handle.close() }
                try handle.seek(toOffset: UInt64(position))
                try handle.write(contentsOf: data[position...position])
                journal.update { $0.setState(Int64(index), .damaged) }
                return LogDamage(
                    number: Int64(index), file: "/commitlog/" + name,
                    position: range.lowerBound - Self.bodyPosition)
            }
        }
        return nil
    }

    /// The broker that has read everything has said what it could not read.
    func damageViolations(_ broker: BrokerProcess) async -> [Violation] {
        guard let damage else { return [] }
        self.damage = nil
        let words = [damage.file, " at \(damage.position) "]
        func isSaid() -> Bool {
            (broker.process.output.lines + broker.process.errors.lines).contains { words.allSatisfy($0.contains) }
        }
        // The line may still be on its way.
        await Self.wait(atMost: .seconds(5), until: isSaid)
        guard !isSaid() else { return [] }
        return [
            Violation(.corruption, "message \(damage.number) in \(damage.file) at \(damage.position): nothing says so")
        ]
    }
}
