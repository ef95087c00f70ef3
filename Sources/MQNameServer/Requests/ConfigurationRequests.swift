import Logging
import MQProtocol
import NIOCore

/// The name server's own settings.
extension NameServerRequests {
    /// UPDATE_NAMESRV_CONFIG (318): body of `key=value` lines. All of them are applied, or none.
    func updateConfiguration(_ request: Frame) throws -> Answer {
        let changes = PropertiesFile(parsing: String(buffer: request.body))
        var configuration = registry.configuration
        let protected = Set(configuration.protectedKeys)
        for entry in changes.entries
        where protected.contains(entry.key) || !NameServerConfiguration.changeableKeys.contains(entry.key) {
            registry.logger.notice("change of the configuration refused", metadata: ["key": "\(entry.key)"])
            throw Refusal(code: .noPermission, remark: "Can not update config in black list.")
        }
        _ = try configuration.apply(changes)
        try save(changes, to: configuration.configurationFile)
        registry.setConfiguration(configuration)
        return Answer()
    }

    /// GET_NAMESRV_CONFIG (319).
    func readConfiguration() -> Answer {
        Answer(body: ByteBuffer(string: registry.configuration.properties.text))
    }

    /// Puts the changes into the file that the server was started with, for its next start.
    private func save(_ changes: PropertiesFile, to path: String?) throws {
        guard let path else { return }
        let file = AtomicFile(path: path)
        var properties = PropertiesFile(parsing: try file.read().map { String(buffer: $0) } ?? "")
        for entry in changes.entries {
            properties[entry.key] = entry.value
        }
        try file.write(ByteBuffer(string: properties.text))
    }
}
