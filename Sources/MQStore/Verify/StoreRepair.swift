package import Logging
package import MQProtocol
import NIOCore

/// Executes what a verification proposes. Good records are never touched, and nothing is deleted: what is unreadable
/// goes to `quarantine/<time>` under the store's root, under the name it had.
package struct StoreRepair {
    private let configuration: StoreConfiguration
    private let device: any StorageDevice
    private let time: TimeSource
    private let logger: Logger
    private let quarantine: String

    package init(_ configuration: StoreConfiguration, device: any StorageDevice, time: TimeSource, logger: Logger) {
        self.configuration = configuration
        self.device = device
        self.time = time
        self.logger = logger
        quarantine = "\(configuration.directory)/quarantine/\(IndexName.text(time.now()))"
    }

    /// Locks the store as a broker does.
    ///
    /// - Parameter note: told of each step before it is done.
    /// - Throws: `locked`; `corrupt` when the log's files cannot be one log even now; the device's error. Steps done
    ///   before stay done, and a second run goes on from there.
    package func run(_ report: VerifyReport, note: (RepairStep) -> Void = { _ in }) throws(StoreError) {
        let lock = try StoreLock.acquire(directory: configuration.directory, device: device)
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
                try StoreRebuild(configuration, device: device, time: time, logger: logger, lock: lock)
                    .run(end: report.logEnd, lastTimestamp: report.lastTimestamp)
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

    /// Under the quarantine folder as it was under the root; a file from elsewhere stays in its file system.
    private func place(of path: String) -> String {
        let root = configuration.directory + "/"
        if path.hasPrefix(root) { return "\(quarantine)/\(path.dropFirst(root.count))" }
        let name = path.split(separator: "/").last.map(String.init) ?? path
        return "\(FileDevice.parent(of: path))/quarantine/\(IndexName.text(time.now()))/\(name)"
    }
}
