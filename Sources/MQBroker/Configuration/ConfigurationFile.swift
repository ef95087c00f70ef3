package import MQStore
import NIOCore
import Synchronization

/// The file given with `-c`, written back when a request changed the configuration.
///
/// Its path comes from the command line and nothing else. Only the lines of changed keys are touched; the file is
/// replaced as a whole, durably, and its previous text is kept beside it as `.bak`.
public final class ConfigurationFile: Sendable, Equatable {
    public let path: String
    private let device: any StorageDevice
    /// Two changes never overlap.
    private let writing = Mutex(())

    package init(path: String, device: any StorageDevice) {
        self.path = path
        self.device = device
    }

    public convenience init(path: String) {
        self.init(path: path, device: FileDevice())
    }

    public static func == (left: ConfigurationFile, right: ConfigurationFile) -> Bool {
        left.path == right.path
    }

    func set(_ lines: [(name: String, value: String)]) throws(StoreError) {
        let result: Result<Void, StoreError> = writing.withLock { _ in
            Result { () throws(StoreError) in
                let present = try device.contents(of: path).map { String(buffer: $0) } ?? ""
                try replace(with: PropertiesText.setting(lines, in: present), previous: present)
            }
        }
        try result.get()
    }

    private func replace(with text: String, previous: String) throws(StoreError) {
        try write(previous, to: path + ".bak")
        try write(text, to: path + ".tmp")
        try device.rename(path + ".tmp", to: path)
        try device.syncDirectory(directory)
    }

    private func write(_ text: String, to path: String) throws(StoreError) {
        let file = try device.open(path, .truncate)
        try file.write(ByteBuffer(string: text), at: 0)
        try file.flush()
    }

    private var directory: String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }
}
