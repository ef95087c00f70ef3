import Foundation

/// Where results and errors go.
enum Console {
    /// Ends the process when nobody reads any more, as behind `mqadmin ... | head`.
    static func print(_ text: String) {
        do {
            try FileHandle.standardOutput.write(contentsOf: Data((text + "\n").utf8))
        } catch {
            Process.exit(0)
        }
    }

    static func printError(_ text: String) {
        try? FileHandle.standardError.write(contentsOf: Data((text + "\n").utf8))
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
