import Foundation
import NIOCore
import ProcessOutput
import ProcessSupport

/// What is spoilt in the files of a stopped broker, which is to serve everything else and say what is wrong.
extension Life {
    /// A line that the next broker owes.
    struct OwedReport: Sendable {
        /// One line has all of them.
        var words: [String]
        var description: String
    }

    /// Bytes of a body that nothing else has by chance.
    private static let minimumBody = 64
    /// Where the body of a record begins when both hosts are IPv4.
    private static let bodyPosition = 88

    /// Flips a bit in the body of a message that was acknowledged at a place, wherever in the log it is.
    ///
    /// - Returns: whether one was found: all may have expired.
    func damageMessage() throws -> Bool {
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
                let record = range.lowerBound - Self.bodyPosition
                owedReports.append(
                    OwedReport(
                        words: ["/commitlog/" + name, " at \(record) "],
                        description: "message \(index) in \(name) at \(record)"))
                return true
            }
        }
        return false
    }

    /// The broker that has read everything has said what it could not read.
    func damageViolations(_ broker: BrokerProcess) async -> [Violation] {
        let owed = owedReports
        owedReports = []
        func missing() -> [OwedReport] {
            let lines = broker.process.output.lines + broker.process.errors.lines
            return owed.filter { report in !lines.contains { report.words.allSatisfy($0.contains) } }
        }
        // The line may still be on its way.
        await Self.wait(atMost: .seconds(5)) { missing().isEmpty }
        return missing().map { Violation(.corruption, "\($0.description): nothing says so") }
    }
}
