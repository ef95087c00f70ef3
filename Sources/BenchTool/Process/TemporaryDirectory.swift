import Foundation

/// A directory that is removed with everything in it when the work is done.
enum TemporaryDirectory {
    /// - Parameter parent: nil for the system's temporary directory.
    static func with<Value>(in parent: String?, _ body: (String) async throws -> Value) async throws -> Value {
        let root = parent.map { URL(fileURLWithPath: $0) } ?? FileManager.default.temporaryDirectory
        let directory = root.appendingPathComponent("mqbench-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        return try await body(directory.path)
    }
}
