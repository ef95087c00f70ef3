import Foundation

/// A file that takes the space of a disk away and gives it back.
struct Ballast {
    let path: String

    /// Takes all the space there is but `spare` bytes.
    init(in directory: String, leaving spare: Int) throws {
        path = Self.path(in: directory)
        _ = FileManager.default.createFile(atPath: path, contents: nil)
        let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
        defer { try? handle.close() }
        let attributes = try FileManager.default.attributesOfFileSystem(forPath: directory)
        var left = max(0, ((attributes[.systemFreeSize] as? NSNumber)?.intValue ?? 0) - spare)
        while left > 0 {
            let piece = min(left, 4 << 20)
            do { try handle.write(contentsOf: Data(count: piece)) } catch { return }
            left -= piece
        }
    }

    func remove() { try? FileManager.default.removeItem(atPath: path) }

    /// A power loss brings back what had just been removed.
    static func removeRest(in directory: String) { try? FileManager.default.removeItem(atPath: path(in: directory)) }

    private static func path(in directory: String) -> String { directory + "/ballast" }
}
