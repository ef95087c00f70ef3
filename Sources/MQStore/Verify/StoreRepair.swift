package import Logging
package import MQProtocol
import NIOCore

/// Executes what a verification proposes. Good records are never touched, and nothing is deleted: what is unreadable
/// goes to `quarantine/<time>` under the store's root, under the name it had, or beside a log directory that is
/// elsewhere.
package struct StoreRepair {
    private let configuration: StoreConfiguration
    private let device: any StorageDevice
    private let time: TimeSource
    private let logger: Logger
    /// `quarantine/<time>`.
    private let quarantine: String

    package init(_ configuration: StoreConfiguration, device: any StorageDevice, time: TimeSource, logger: Logger) {
        self.configuration = configuration
        self.device = device
        self.time = time
        self.logger = logger
        quarantine = "quarantine/\(IndexName.text(time.now()))"
    }

    /// Locks the store as a broker does. Held from before the verification until the repair is done, it keeps true what
    /// was found: a broker that ran in between would have moved the end of the log.
    ///
    /// - Throws: `locked`, `notFound` when there is no log, or the device's error.
    package func lock() throws(StoreError) -> StoreLock {
        try configuration.requireLog(device)
        return try StoreLock.acquire(directory: configuration.directory, device: device)
    }

    /// - Parameters:
    ///   - lock: what has been held since before the report was made; without it, no broker may have run since.
    ///   - note: told of each step before it is done.
    /// - Throws: `locked`; `corrupt` when the log's files cannot be one log even now; the device's error. Steps done
    ///   before stay done, and a second run goes on from there.
    package func run(
        _ report: VerifyReport, lock: StoreLock? = nil, note: (RepairStep) -> Void = { _ in }
    ) throws(StoreError) {
        let held: StoreLock
        if let lock {
            held = lock
        } else {
            held = try StoreLock.acquire(directory: configuration.directory, device: device)
        }
        defer { withExtendedLifetime(held) {} }
        for step in report.steps {
            note(step)
            switch step {
            case .restore(let path): try restore(path)
            case .setAside(let path): try setAside(path)
            case .clearTail(let path, let from, let to): try clearTail(path, from..<to)
            case .lengthen(let path, let length):
                let file = try device.open(path, .readWrite)
                try file.setLength(length)
                try file.flush()
            case .rebuild:
                try StoreRebuild(configuration, device: device, time: time, logger: logger, lock: held).run(report)
            }
        }
    }

    private func setAside(_ path: String) throws(StoreError) {
        // A queue and a file of it may both be named.
        guard let entry = try device.entry(path) else { return }
        if entry.isDirectory {
            for child in try device.list(path) ?? [] { try setAside("\(path)/\(child.name)") }
            try device.remove(path)
            return try device.syncDirectory(FileDevice.parent(of: path))
        }
        let target = place(of: path)
        try device.createDirectory(FileDevice.parent(of: target))
        try device.rename(path, to: target)
        try device.syncDirectory(FileDevice.parent(of: target))
        try device.syncDirectory(FileDevice.parent(of: path))
    }

    private func restore(_ path: String) throws(StoreError) {
        guard let text = try device.contents(of: "\(path).bak") else { return }
        try setAside(path)
        let temporary = "\(path).tmp"
        let file = try device.open(temporary, .truncate)
        try file.write(text, at: 0)
        try file.flush()
        try device.rename(temporary, to: path)
        try device.syncDirectory(FileDevice.parent(of: path))
    }

    private func clearTail(_ path: String, _ range: Range<Int>) throws(StoreError) {
        let target = "\(place(of: path)).tail-\(range.lowerBound)"
        try device.createDirectory(FileDevice.parent(of: target))
        let copy = try device.open(target, .truncate)
        let file = try device.open(path, .readWrite)
        var position = range.lowerBound
        while position < range.upperBound {
            var buffer = ByteBuffer()
            let count = min(1 << 20, range.upperBound - position)
            let read = try file.read(at: position, count: count, into: &buffer)
            guard read > 0 else { break }
            try copy.write(buffer, at: position - range.lowerBound)
            position += read
        }
        try copy.flush()
        try device.syncDirectory(FileDevice.parent(of: target))
        try file.zeroFill(range)
        try file.flush()
    }

    /// Under the quarantine folder as it was under the root. A file from elsewhere goes beside its folder, which is one
    /// of the log's, and so stays in its file system: a stock broker does not start with a folder among its log files.
    private func place(of path: String) -> String {
        let root = configuration.directory + "/"
        if path.hasPrefix(root) { return "\(root)\(quarantine)/\(path.dropFirst(root.count))" }
        let parent = FileDevice.parent(of: FileDevice.parent(of: path))
        let names = path.split(separator: "/").suffix(2).joined(separator: "/")
        return "\(parent == "/" ? "" : parent)/\(quarantine)/\(names)"
    }
}
