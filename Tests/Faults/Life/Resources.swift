import Foundation
import ProcessSupport

/// What a broker holds, and how much of it is too much: descriptors for the files of its store and for connections, a
/// fixed number of threads, and memory that does not grow with the log.
struct Resources {
    private static let spareDescriptors = 100
    /// Of the store, the services, and of pools that have a thread for each processor.
    private static let maximumThreads = 40 + 3 * ProcessInfo.processInfo.activeProcessorCount
    private static let maximumBytes = 512 << 20
    /// What may come on top of a moment under the same load: the log goes on, and so do caches and pools.
    private static let moreDescriptors = 24
    private static let moreThreads = 4 + ProcessInfo.processInfo.activeProcessorCount
    private static let moreBytes = 32 << 20

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

    /// - Parameter before: of the same process, under the same load before the fault.
    func violations(since before: Resources) -> [Violation] {
        var violations: [Violation] = []
        if descriptors > min(files + Self.spareDescriptors, before.descriptors + growth(since: before)) {
            let text = "\(descriptors) descriptors for \(files) files, before \(before.descriptors) for \(before.files)"
            violations.append(Violation(.resources, text))
        }
        if threads > min(Self.maximumThreads, before.threads + Self.moreThreads) {
            violations.append(Violation(.resources, "\(threads) threads, before \(before.threads)"))
        }
        if bytes > min(Self.maximumBytes, before.bytes + before.bytes / 20 + Self.moreBytes) {
            violations.append(Violation(.resources, "\(bytes) bytes of memory, before \(before.bytes)"))
        }
        return violations
    }

    /// New files are open, and connections come and go.
    private func growth(since before: Resources) -> Int { max(0, files - before.files) + Self.moreDescriptors }
}
