import Foundation

/// What the system says of a process, read from /proc: nil on systems without it.
package struct ProcessProbe: Sendable {
    package let processID: Int

    package init(_ process: ServerProcess) {
        processID = process.processID
    }

    /// Memory of the process's own, without mapped files.
    package func anonymousBytes() -> Int? {
        status("RssAnon").map { $0 * 1024 }
    }

    /// How many files the process may have open, and how far it may raise that.
    package func openFileLimits() -> (soft: Int, hard: Int)? {
        guard let text = try? String(contentsOfFile: "/proc/\(processID)/limits", encoding: .utf8) else { return nil }
        let line = text.split(separator: "\n").first { $0.hasPrefix("Max open files") }
        let numbers = (line ?? "").split(whereSeparator: \.isWhitespace).compactMap { Int($0) }
        return numbers.count == 2 ? (numbers[0], numbers[1]) : nil
    }

    /// The addresses the process listens on, as the system writes them: `0100007F:2A9F` is 127.0.0.1:10911.
    package func listeningAddresses() -> [ListeningAddress]? {
        guard let inodes = socketInodes() else { return nil }
        var found: [ListeningAddress] = []
        for table in ["tcp", "tcp6"] {
            guard let text = try? String(contentsOfFile: "/proc/net/\(table)", encoding: .utf8) else { return nil }
            for line in text.split(separator: "\n").dropFirst() {
                let fields = line.split(separator: " ")
                guard fields.count > 9, fields[3] == "0A", inodes.contains(String(fields[9])) else { continue }
                found.append(ListeningAddress(hexadecimal: String(fields[1])))
            }
        }
        return found
    }

    private func status(_ name: String) -> Int? {
        guard let text = try? String(contentsOfFile: "/proc/\(processID)/status", encoding: .utf8) else { return nil }
        let line = text.split(separator: "\n").first { $0.hasPrefix(name + ":") }
        return line?.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Int($0) }
    }

    private func socketInodes() -> Set<String>? {
        let folder = "/proc/\(processID)/fd"
        guard let names = try? FileManager.default.contentsOfDirectory(atPath: folder) else { return nil }
        let targets = names.compactMap { try? FileManager.default.destinationOfSymbolicLink(atPath: "\(folder)/\($0)") }
        return Set(targets.filter { $0.hasPrefix("socket:[") }.map { String($0.dropFirst(8).dropLast()) })
    }
}

/// A local address of a listening socket.
package struct ListeningAddress: Hashable, Sendable, CustomStringConvertible {
    private let host: String
    package let port: Int

    init(hexadecimal text: String) {
        let parts = text.split(separator: ":")
        host = parts.first.map(String.init) ?? ""
        port = parts.last.flatMap { Int($0, radix: 16) } ?? 0
    }

    /// 127.0.0.0/8, its form within IPv6, or ::1. The system prints words of 4 bytes in the machine's order.
    package var isLoopback: Bool {
        if host.count == 8 { return host.hasSuffix("7F") }
        let isMapped = host.hasPrefix("0000000000000000FFFF0000") && host.hasSuffix("7F")
        return isMapped || host == "00000000000000000000000001000000"
    }

    package var description: String { "\(host):\(port)" }
}
