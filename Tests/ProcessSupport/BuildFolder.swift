import Foundation

/// Where the executables of this package were built: beside the tests that are running.
package enum BuildFolder {
    /// The path of an executable of this package.
    package static func executable(_ name: String) throws -> String { "\(try path())/\(name)" }

    /// - Throws: when no server was built there.
    static func path() throws -> String {
        let folders = candidates().map(\.path)
        guard let folder = folders.first(where: hasServer) else {
            let searched = folders.joined(separator: ", ")
            throw ProcessSupportError(
                "No server was built in \(searched): build mqbroker and mqnamesrv with `swift build`.")
        }
        return folder
    }

    private static func hasServer(_ folder: String) -> Bool {
        ["mqbroker", "mqnamesrv"].contains { FileManager.default.isExecutableFile(atPath: "\(folder)/\($0)") }
    }

    /// Linux runs the test bundle itself; macOS loads it into a process of the system's.
    private static func candidates() -> [URL] {
        var files = Bundle.allBundles.filter { $0.bundlePath.hasSuffix(".xctest") }.map(\.bundlePath)
        if let main = Bundle.main.executablePath { files.insert(main, at: 0) }
        return files.map { URL(fileURLWithPath: $0).resolvingSymlinksInPath().deletingLastPathComponent() }
    }
}

/// A failure of the tests' own machinery, in one line.
package struct ProcessSupportError: Error, CustomStringConvertible {
    package let description: String

    package init(_ description: String) {
        self.description = description
    }
}
