import Foundation
import ProcessSupport

/// What a broker holds, and how much of it is too much: descriptors for the files of its store and for connections, a
/// fixed number of threads, and memory that does not grow with the log.
struct Resources {
    private static let spareDescriptors = 100
    private static let maximumThreads = 64
    private static let maximumBytes = 512 << 20

    var descriptors: Int
    var threads: Int
    var bytes: Int
    /// Of the store.
    var files: Int

    /// Zeros where the system does not say.
    init(of process: ServerProcess, store: String) {
        func count(_ folder: String) -> Int {
            (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(process.processID)/\(folder)").count) ?? 0
        }
        descriptors = count("fd")
        threads = count("task")
        bytes = ProcessProbe(process).anonymousBytes() ?? 0
        files = FileManager.default.enumerator(atPath: store)?.reduce(0) { sum, _ in sum + 1 } ?? 0
    }

    var violations: [Violation] {
        var violations: [Violation] = []
        if descriptors > files + Self.spareDescriptors {
            violations.append(Violation(.resources, "\(descriptors) descriptors for \(files) files"))
        }
        if threads > Self.maximumThreads { violations.append(Violation(.resources, "\(threads) threads")) }
        if bytes > Self.maximumBytes { violations.append(Violation(.resources, "\(bytes) bytes of memory")) }
        return violations
    }
}
