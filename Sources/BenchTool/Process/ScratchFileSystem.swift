import Foundation
import Subprocess

/// A file system in a file. Very many small files take a moment to make; where freed blocks are told to the disk one by
/// one (ext4 with `discard`), removing them takes minutes, and a file that holds all of them goes at once.
enum ScratchFileSystem {
    /// - Parameter body: gets the place of the file system, or the directory itself where nothing can be mounted.
    static func with<Value>(
        megabytes: Int, in directory: String, _ body: (String) async throws -> Value
    ) async throws -> Value {
        let image = "\(directory)/image"
        let place = "\(directory)/mounted"
        try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
        guard await succeeds("truncate", "-s", "\(megabytes)M", image),
            await succeeds("mkfs.ext4", "-q", "-F", "-N", "400000", image),
            await succeeds("mount", "-o", "loop", image, place)
        else { return try await body(directory) }
        let outcome: Result<Value, any Error>
        do { outcome = .success(try await body(place)) } catch { outcome = .failure(error) }
        guard await succeeds("umount", place) else {
            throw BenchError("The file system \(place) cannot be unmounted: do that, and remove \(directory).")
        }
        return try outcome.get()
    }

    private static func succeeds(_ name: String, _ arguments: String...) async -> Bool {
        let result = try? await Subprocess.run(
            .name(name), arguments: Arguments(arguments),
            environment: .inherit.updating(["PATH": "/usr/sbin:/usr/bin:/sbin:/bin"]), input: .none, output: .discarded,
            error: .discarded)
        return result?.terminationStatus.isSuccess ?? false
    }
}
