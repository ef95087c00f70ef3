import Foundation

/// Where the package and the drivers are.
enum Places {
    private static let target = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()

    /// The package's folder: this target is two levels below it.
    static let package = target.deletingLastPathComponent().deletingLastPathComponent()

    static let drivers = target.appendingPathComponent("Drivers")

    static let environment = package.appendingPathComponent(".build/interop-venv")
}

/// Why an interop test cannot run or did not pass, with the remedy.
struct InteropError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}
