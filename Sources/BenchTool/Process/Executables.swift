import Foundation

/// Where this tool and its siblings are.
enum Executables {
    /// The directory of this executable: mqbroker and mqnamesrv are built beside it.
    static func directory() throws(BenchError) -> String {
        guard let path = Bundle.main.executablePath else {
            throw BenchError("The path of this executable is unknown: run mqbench by its full path.")
        }
        return URL(fileURLWithPath: path).resolvingSymlinksInPath().deletingLastPathComponent().path
    }

    /// - Throws: when `name` was not built.
    static func require(_ name: String) throws(BenchError) {
        let path = try directory() + "/" + name
        guard FileManager.default.isExecutableFile(atPath: path) else {
            throw BenchError("\(path) is missing: build it with `swift build -c release --product \(name)`.")
        }
    }
}

/// A failure of the tool, in one line with its remedy.
struct BenchError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}
