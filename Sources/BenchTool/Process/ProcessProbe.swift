import MQStore
import NIOCore

/// What the system says of a process, read from /proc. All values are nil on systems without it.
struct ProcessProbe: Sendable {
    let processID: Int

    /// User and system time so far, in seconds. The system counts in ticks of 10 ms.
    func cpuSeconds() -> Double? {
        guard let text = Self.read("/proc/\(processID)/stat"), let close = text.lastIndex(of: ")") else { return nil }
        // Behind the name: state is field 3, utime 14, stime 15.
        let fields = text[text.index(after: close)...].split(separator: " ")
        guard fields.count > 12, let user = Double(fields[11]), let system = Double(fields[12]) else { return nil }
        return (user + system) / 100
    }

    struct Memory: Sendable {
        /// Of the process's own.
        var anonymousBytes: Int
        /// Mapped files: pages that the system can drop.
        var mappedBytes: Int
    }

    func memory() -> Memory? {
        guard let text = Self.read("/proc/\(processID)/status") else { return nil }
        func kilobytes(_ name: String) -> Int? {
            let line = text.split(separator: "\n").first { $0.hasPrefix(name + ":") }
            return line?.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Int($0) }
        }
        guard let anonymous = kilobytes("RssAnon"), let mapped = kilobytes("RssFile") else { return nil }
        return Memory(anonymousBytes: anonymous * 1024, mappedBytes: mapped * 1024)
    }

    /// Bytes this process caused to be written to storage. The system counts pages when they become dirty.
    func writtenBytes() -> Int? {
        guard let text = Self.read("/proc/\(processID)/io") else { return nil }
        let line = text.split(separator: "\n").first { $0.hasPrefix("write_bytes:") }
        return line?.split(separator: " ").last.flatMap { Int($0) }
    }

    /// A small file as text; nil when it cannot be read.
    static func read(_ path: String) -> String? {
        guard let file = try? FileDevice().open(path, .readOnly) else { return nil }
        var buffer = ByteBuffer()
        guard (try? file.read(at: 0, count: 65536, into: &buffer)) != nil else { return nil }
        return String(buffer: buffer)
    }
}
