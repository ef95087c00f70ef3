import Foundation

/// Where results and errors go.
enum Console {
    static func print(_ text: String) {
        FileHandle.standardOutput.write(Data((text + "\n").utf8))
    }

    static func printError(_ text: String) {
        FileHandle.standardError.write(Data((text + "\n").utf8))
    }
}

enum ProcessEnvironment {
    /// Nil when the variable is not set or empty.
    static func value(_ name: String) -> String? {
        let value = ProcessInfo.processInfo.environment[name] ?? ""
        return value.isEmpty ? nil : value
    }
}

enum Process {
    static func exit(_ status: Int32) -> Never {
        Foundation.exit(status)
    }
}
