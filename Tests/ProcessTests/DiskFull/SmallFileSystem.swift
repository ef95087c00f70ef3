import Foundation
import ProcessSupport

/// A file system in memory that is soon full.
enum SmallFileSystem {
    /// Mounting needs root.
    static var isAvailable: Bool { NSUserName() == "root" }

    /// - Returns: nil, and says so, where mounting is not allowed.
    static func with<Value: Sendable>(
        megabytes: Int, _ body: @Sendable (String) async throws -> Value
    ) async throws -> Value? {
        try await TemporaryDirectory.with { directory in
            let arguments = ["-t", "tmpfs", "-o", "size=\(megabytes)m", "tmpfs", directory]
            let mount = try await CompletedProcess.run("mount", arguments)
            guard mount.exit == .code(0) else {
                print("skipped: no small file system can be mounted here: \(mount.errors.joined())")
                return nil
            }
            let outcome: Result<Value, any Error>
            do { outcome = .success(try await body(directory)) } catch { outcome = .failure(error) }
            let unmount = try await CompletedProcess.run("umount", [directory])
            guard unmount.exit == .code(0) else {
                throw TestFailure("\(directory) is still mounted: \(unmount.errors)")
            }
            return try outcome.get()
        }
    }

    /// Takes all the space there is but `spare`.
    static func fill(_ directory: String, leaving spare: Int = 0) throws -> String {
        let file = directory + "/ballast"
        try Data().write(to: URL(fileURLWithPath: file))
        let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: file))
        let attributes = try FileManager.default.attributesOfFileSystem(forPath: directory)
        let free = (attributes[.systemFreeSize] as? NSNumber)?.intValue ?? 0
        try handle.write(contentsOf: Data(count: max(0, free - spare)))
        try handle.close()
        return file
    }
}
