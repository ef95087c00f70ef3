import Foundation
import ProcessSupport

/// A small ext4 of its own, on a loop device over a file in memory: the power of this one can fail.
struct LoopFileSystem: Sendable {
    let directory: String
    private let image: String
    private let device: String

    /// Where the store lives while the file system is mounted.
    var mountPoint: String { directory + "/disk" }

    /// Loop devices and mounts need root.
    static var isAvailable: Bool {
        #if os(Linux)
        NSUserName() == "root"
        #else
        false
        #endif
    }

    /// Why there can be none here: root of a container may not mount. Nil when there can.
    static func obstacle(in parent: String) async -> String? {
        guard isAvailable else { return "they need root, to mount file systems" }
        let directory = parent + "/escrow-probe-\(UUID().uuidString.prefix(8))"
        defer { try? FileManager.default.removeItem(atPath: directory) }
        do {
            try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
            return try await with(megabytes: 16, in: directory) { system in
                system.losePower() ? nil : "power cannot be cut here"
            }
        } catch {
            return "\(error)"
        }
    }

    /// Makes a file system, mounts it, and takes it away when `body` is done.
    static func with<Value>(
        megabytes: Int, in directory: String, _ body: (LoopFileSystem) async throws -> Value
    ) async throws -> Value {
        let image = directory + "/disk.img"
        try FileManager.default.createDirectory(atPath: directory + "/disk", withIntermediateDirectories: true)
        _ = FileManager.default.createFile(atPath: image, contents: nil)
        try await command("truncate", "-s", "\(megabytes)M", image)
        let device = try await command("losetup", "--find", "--show", image)
        let system = LoopFileSystem(directory: directory, image: image, device: device)
        let outcome: Result<Value, any Error>
        do {
            try await system.format()
            try await system.mount()
            outcome = .success(try await body(system))
        } catch {
            outcome = .failure(error)
        }
        _ = try? await command("umount", system.mountPoint)
        try await command("losetup", "--detach", device)
        return try outcome.get()
    }

    /// Begins with an empty disk.
    func format() async throws {
        try await Self.command(
            "mkfs.ext4", "-q", "-F", "-m", "0", "-J", "size=4", "-E", "lazy_itable_init=0,lazy_journal_init=0", device)
    }

    func mount() async throws { try await Self.command("mount", device, mountPoint) }

    func unmount() async throws { try await Self.command("umount", mountPoint) }

    /// Nothing that is not on the disk by now will be there after ``restorePower()``.
    @discardableResult
    func losePower() -> Bool { PowerSwitch.cut(mountPoint) }

    /// The broker must have ended. What the journal has is played back.
    func restorePower() async throws {
        try await unmount()
        try await mount()
    }

    @discardableResult
    static func command(_ name: String, _ arguments: String...) async throws -> String {
        let done = try await CompletedProcess.run(name, arguments)
        guard done.exit == .code(0) else {
            let said = done.errors.isEmpty ? "it ended with \(done.exit)" : done.errors.joined(separator: " ")
            throw FaultError("\(name) \(arguments.joined(separator: " ")): \(said)")
        }
        return done.output.joined(separator: "\n")
    }
}
