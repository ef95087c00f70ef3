import Logging
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
    private let file: SideFile
    /// Two changes never overlap.
    private let writing = Mutex(())

    package init(path: String, device: any StorageDevice) {
        self.path = path
        self.device = device
        file = SideFile(device: device, path: path, logger: Logger(label: "mqbroker"))
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
                try file.save(ByteBuffer(string: PropertiesText.setting(lines, in: present)))
            }
        }
        try result.get()
    }
}
