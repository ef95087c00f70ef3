import Foundation

/// Makes the directory of a store, and says in a few words why it cannot.
enum StoreDirectory {
    /// - Throws: ``FlowError/Code/unusableStore``.
    static func make(_ directory: URL) throws(FlowError) {
        do {
            try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        } catch {
            let path = plainPath(directory)
            guard isFile(path) else {
                throw FlowError(
                    .unusableStore, "the directory \(path) cannot be created: \(reason(error, directory)).")
            }
            throw FlowError(.unusableStore, "--store \(path) is a file, not a directory.")
        }
    }

    private static func reason(_ error: any Error, _ directory: URL) -> String {
        let parent = plainPath(directory.deletingLastPathComponent())
        if isFile(parent) { return "\(parent) is a file" }
        guard let code = (error as? CocoaError)?.code else { return error.localizedDescription }
        switch code {
        case .fileWriteNoPermission: return "no permission"
        case .fileWriteVolumeReadOnly: return "the volume is read-only"
        case .fileWriteOutOfSpace: return "the disk is full"
        case .fileWriteInvalidFileName: return "the name is too long or not allowed"
        default: return error.localizedDescription
        }
    }

    private static func isFile(_ path: String) -> Bool {
        let type = URL(filePath: path, directoryHint: .notDirectory).fileType
        return type != nil && type != .typeDirectory
    }

    /// Without the slash of directories.
    static func plainPath(_ directory: URL) -> String {
        let path = directory.filePath
        return path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
    }
}

extension URL {
    /// Of what is there, links followed; nil for nothing.
    var fileType: FileAttributeType? {
        let attributes = try? FileManager.default.attributesOfItem(atPath: resolvingSymlinksInPath().filePath)
        return attributes?[.type] as? FileAttributeType
    }
}
