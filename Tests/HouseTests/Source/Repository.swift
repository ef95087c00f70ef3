import Foundation

/// The checkout these tests were built from.
struct Repository {
    let root: String
    /// Every text file that belongs to the project, in order of paths.
    let files: [SourceFile]

    static let here = Repository(root: findRoot())

    private static let skipped: Set<String> = [".git", ".swiftpm", "Package.resolved", ".index-build"]
    private static let textEndings = [".swift", ".md", ".sql", ".h", ".c", ".modulemap", ".sh", ".py", ".json", ".yml"]

    private static func findRoot() -> String {
        var url = URL(filePath: #filePath).resolvingSymlinksInPath()
        while url.path() != "/" {
            url = url.deletingLastPathComponent()
            if FileManager.default.fileExists(atPath: url.appending(path: "Package.swift").path()) { break }
        }
        return url.path().hasSuffix("/") ? String(url.path().dropLast()) : url.path()
    }

    private init(root: String) {
        self.root = root
        self.files = Self.paths(below: root, "").sorted().compactMap { path in
            guard let data = FileManager.default.contents(atPath: root + "/" + path) else { return nil }
            let isText = Self.textEndings.contains { path.hasSuffix($0) } || data.starts(with: Data("#!".utf8))
            let isNamed = ["LICENSE", ".gitignore", ".swift-format"].contains(path)
            return isText || isNamed ? SourceFile(path: path, text: String(decoding: data, as: UTF8.self)) : nil
        }
    }

    private static func paths(below root: String, _ folder: String) -> [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: root + "/" + folder)) ?? []
        return names.filter { !skipped.contains($0) && !$0.hasPrefix(".build") }.flatMap { name -> [String] in
            let path = folder.isEmpty ? name : folder + "/" + name
            let attributes = try? FileManager.default.attributesOfItem(atPath: root + "/" + path)
            switch attributes?[.type] as? FileAttributeType {
            case .typeDirectory: return paths(below: root, path)
            case .typeRegular: return [path]
            default: return []
            }
        }
    }

    /// What git tracks; nil where there is no git or no repository.
    func trackedPaths() -> [String]? {
        let git = Process()
        git.executableURL = URL(filePath: "/usr/bin/env")
        git.arguments = ["git", "-C", root, "ls-files"]
        let output = Pipe()
        git.standardOutput = output
        git.standardError = FileHandle.nullDevice
        guard (try? git.run()) != nil else { return nil }
        let data = output.fileHandleForReading.readDataToEndOfFile()
        git.waitUntilExit()
        guard git.terminationStatus == 0 else { return nil }
        return String(decoding: data, as: UTF8.self).split(separator: "\n").map(String.init)
    }
}
