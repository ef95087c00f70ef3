import Foundation

/// A file system in memory that is soon full. Only root may mount one.
final class SmallDisk: Sendable {
    let path: String
    private var filler: String { path + "/filler" }

    static let canBeMade = (try? SmallDisk(kibibytes: 64)) != nil

    init(kibibytes: Int) throws {
        path = FileManager.default.temporaryDirectory.appending(path: "disk-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        guard try Self.run("mount", "-t", "tmpfs", "-o", "size=\(kibibytes)k", "tmpfs", path) else {
            try? FileManager.default.removeItem(atPath: path)
            throw CocoaError(.fileWriteNoPermission)
        }
    }

    deinit {
        _ = try? Self.run("umount", "--lazy", path)
        try? FileManager.default.removeItem(atPath: path)
    }

    /// Leaves not a byte.
    func fill() throws {
        try Data().write(to: URL(filePath: filler))
        let file = try FileHandle(forWritingTo: URL(filePath: filler))
        let page = Data(repeating: 1, count: 4096)
        while (try? file.write(contentsOf: page)) != nil {}
        try file.close()
    }

    func free() throws {
        try FileManager.default.removeItem(atPath: filler)
    }

    private static func run(_ command: String, _ arguments: String...) throws -> Bool {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = [command] + arguments
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        return process.terminationStatus == 0
    }
}
