import Foundation
import NIOCore

/// A small file that is replaced as a whole: a crash leaves the old version or the new one, never a part of either.
///
/// The version before is kept beside it as `.bak`. Blocks: call it from a thread that may wait for a disk.
struct AtomicFile: Sendable {
    let path: String

    var backupPath: String { path + ".bak" }

    /// - Returns: `nil` when there is no file.
    /// - Throws: `inputOutput` naming the file.
    func read() throws(NameServerError) -> ByteBuffer? {
        try Self.read(path)
    }

    /// The version before the last ``write(_:)``.
    func readBackup() throws(NameServerError) -> ByteBuffer? {
        try Self.read(backupPath)
    }

    /// Creates missing directories. The content is on disk when this returns.
    /// - Throws: `inputOutput` naming the file.
    func write(_ content: ByteBuffer) throws(NameServerError) {
        let url = URL(fileURLWithPath: path)
        let directory = url.deletingLastPathComponent()
        do {
            try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
            if FileManager.default.fileExists(atPath: path) {
                try Data(contentsOf: url).write(to: URL(fileURLWithPath: backupPath), options: .atomic)
            }
            // Writes to a temporary name in the same directory, flushes it, renames it.
            try Data(content.readableBytesView).write(to: url, options: .atomic)
            let handle = try FileHandle(forReadingFrom: directory)
            defer { try? handle.close() }
            try handle.synchronize()
        } catch {
            let message = "cannot write \(path): \(Self.reason(error)); check that the directory may be written"
            throw NameServerError(.inputOutput, message, cause: error)
        }
    }

    private static func read(_ path: String) throws(NameServerError) -> ByteBuffer? {
        guard FileManager.default.fileExists(atPath: path) else { return nil }
        do {
            return ByteBuffer(bytes: try Data(contentsOf: URL(fileURLWithPath: path)))
        } catch {
            let message = "cannot read \(path): \(reason(error)); check that the file may be read"
            throw NameServerError(.inputOutput, message, cause: error)
        }
    }

    private static func reason(_ error: any Error) -> String {
        ((error as NSError).userInfo[NSUnderlyingErrorKey] as? NSError ?? error as NSError).localizedDescription
    }
}
