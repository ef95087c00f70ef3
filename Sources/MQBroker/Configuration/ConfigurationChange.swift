import MQProtocol

/// A change of the configuration that a request asks for (25), judged before any of it is in force.
///
/// Only keys of a closed list can be changed, and only to values that parse: nothing that comes with a request is
/// executed, used as a path or a name, or written anywhere unchecked. RocketMQ's looser rule became CVE-2023-33246.
struct ConfigurationChange: Sendable {
    private(set) var entries: [(key: ConfigurationKey, value: String)] = []

    /// The most bytes of a request's text; the longest sensible one has some hundred.
    private static let maximumBytes = 65_536
    /// Never changed by a request, whatever the file says.
    private static let blackList: Set<String> = ["brokerConfigPath", "rocketmqHome", "configBlackList"]

    init(parsing text: String, protectedKeys: [String]) throws(RequestError) {
        guard text.utf8.count <= Self.maximumBytes else {
            throw RequestError(.noPermission, "the configuration text is longer than \(Self.maximumBytes) bytes")
        }
        let file = PropertiesFile(parsing: text)
        let blackList = Self.blackList.union(protectedKeys)
        guard !file.entries.contains(where: { blackList.contains($0.key) }) else {
            throw RequestError(.noPermission, "Can not update config in black list.")
        }
        for entry in file.entries {
            guard let key = ConfigurationKeys.find(entry.key) else {
                throw RequestError(.noPermission, "no such configuration key: \(Self.shown(entry.key))")
            }
            guard key.isMutable, !blackList.contains(key.name) else {
                throw RequestError(
                    .noPermission, "\(key.name) cannot be changed while the broker runs; set it in the file and restart"
                )
            }
            entries.append((key, entry.value))
        }
    }

    /// All of it or nothing.
    func apply(to configuration: inout BrokerConfiguration) throws(RequestError) {
        var copy = configuration
        for (key, value) in entries {
            do {
                try key.apply(value, to: &copy)
            } catch {
                throw RequestError(.noPermission, "\(key.name)=\(Self.shown(value)): this must be \(error.wanted)")
            }
        }
        configuration = copy
    }

    /// The lines for the file, in the form that reads back.
    func lines(in configuration: BrokerConfiguration) -> [(name: String, value: String)] {
        entries.map { ($0.key.name, $0.key.value(in: configuration)) }
    }

    /// A remark shows a foreign text only in part, and without control characters.
    private static func shown(_ text: String) -> String {
        String(String.UnicodeScalarView(text.unicodeScalars.prefix(64).filter { $0.value >= 0x20 && $0.value != 0x7F }))
    }
}
