import Foundation

/// Who holds something in a database that several processes share: written into the row, so that another process can
/// tell whether it still does.
package struct Holder: Sendable {
    /// `process space/process id/random`.
    package let text: String

    package init(host: String, processID: Int32) {
        text = "\(host)/\(processID)/\(UInt64.random(in: 0...UInt64.max))"
    }

    /// Another one with each call.
    package static func inThisProcess() -> Holder {
        Holder(host: processSpace ?? "elsewhere-\(UInt64.random(in: 0...UInt64.max))", processID: processID)
    }

    private static let processID = ProcessInfo.processInfo.processIdentifier

    /// Within one of these, process ids name processes: a machine, or a container of it. Nil where Linux is not.
    private static var processSpace: String? {
        let link = try? FileManager.default.destinationOfSymbolicLink(atPath: "\(processes)/self/ns/pid")
        return link?.replacing("/", with: "-")
    }

    private static let processes = "/proc"

    /// Whether `other` stands for this very process.
    package func isOfSameProcess(_ other: String) -> Bool {
        let parts = other.split(separator: "/")
        let own = text.split(separator: "/")
        return parts.count == 3 && own.count == 3 && parts[0] == own[0] && parts[1] == own[1]
    }

    /// Whether `other` was in a process of this machine that has ended. Only Linux tells without a system call.
    package func isGone(_ other: String) -> Bool {
        let parts = other.split(separator: "/")
        let own = text.split(separator: "/")
        guard parts.count == 3, own.count == 3, parts[0] == own[0], let process = Int32(parts[1]) else { return false }
        guard parts[1] != own[1] else { return false }
        guard FileManager.default.fileExists(atPath: "\(Self.processes)/self") else { return false }
        return !FileManager.default.fileExists(atPath: "\(Self.processes)/\(process)")
    }
}
