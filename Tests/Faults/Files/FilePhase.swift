import Foundation
import TestSupport

/// Batches over stores of every sort: closed and crashed, with and without record checksums.
struct FilePhase {
    var seed: UInt64
    var directory: String
    var kinds: [FaultKind]
    /// How many of each kind on each store; tears come at every byte of the last three records, or at as many.
    var faultsOfKind: Int
    var tearsEverywhere: Bool

    /// - Parameter command: what repeats the whole phase.
    func run(command: String) -> Report {
        var report = Report()
        var generator = SeededGenerator(seed: seed)
        for (number, end) in TemplateStore.End.allCases.enumerated() {
            for hasChecksum in [true, false] {
                let folder = "\(directory)/template-\(number)-\(hasChecksum)"
                defer { try? FileManager.default.removeItem(atPath: folder) }
                do {
                    let template = try TemplateStore(
                        folder, end: end, hasRecordChecksum: hasChecksum, using: &generator)
                    let batchSeed = generator.next()
                    var batch = FileBatch(
                        template, work: folder + "-work", generator: SeededGenerator(seed: batchSeed),
                        command: command)
                    run(&batch, seed: batchSeed)
                    report.merge(batch.report)
                } catch {
                    report.fail(
                        [Violation(.liveness, "no store to damage: \(error)")],
                        of: Report.Row(kind: .tornTail, hasRecordChecksum: hasChecksum), repeatedBy: command)
                }
            }
        }
        return report
    }

    /// Each kind's faults follow from the seed alone, so that a kind can be repeated without the others.
    private func run(_ batch: inout FileBatch, seed: UInt64) {
        for (number, kind) in FaultKind.ofFiles.enumerated() where kinds.contains(kind) {
            batch.generator = SeededGenerator(seed: seed &+ UInt64(number))
            let isTear = kind == .tornTail || kind == .garbageTail
            // Only a crash leaves a torn tail; a closed store's log ended where its files say.
            if batch.template.end == .closed, isTear || kind == .staleTail { continue }
            let count = isTear && tearsEverywhere ? batch.tailBytes : faultsOfKind
            for index in 0..<count {
                let position = isTear && !tearsEverywhere ? index * batch.tailBytes / max(1, count) : index
                batch.inject(kind, position: position)
            }
        }
    }
}
